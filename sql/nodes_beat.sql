-- A node lives. Answer: how many workers somebody wishes for there (null: as it is), unless
-- that is the wish that was followed; and all nodes that were seen of late, itself first.
-- $1 id uuid   $2 host text   $3 pid int4   $4 version text   $5 desired int4
-- $6 running int4   $7 status text   $8 the wish that was followed int4 (null: none)
insert into nodes (id, host, pid, version, desired_workers, running_workers, status)
values ($1, $2, $3, $4, $5, $6, $7)
on conflict (id) do update
   set last_seen_at = now(), desired_workers = excluded.desired_workers,
       running_workers = excluded.running_workers, status = excluded.status,
       wanted_workers = nullif(nodes.wanted_workers, $8)
returning wanted_workers, (jsonb_build_array(jsonb_build_object('id', id, 'host', host,
	'pid', pid, 'version', version, 'status', status, 'desired', desired_workers,
	'running', running_workers, 'lastSeenAt', rfc3339(last_seen_at)))
	|| coalesce((select jsonb_agg(jsonb_build_object('id', n.id, 'host', n.host,
		'pid', n.pid, 'version', n.version, 'status', n.status,
		'desired', n.desired_workers, 'running', n.running_workers,
		'lastSeenAt', rfc3339(n.last_seen_at)) order by n.host, n.id)
	  from nodes n
	 where n.id <> $1 and n.last_seen_at > now() - interval '15 seconds'), '[]'))::text;
