-- $1 id uuid   $2 host text   $3 pid int4   $4 version text   $5 desired int4
-- $6 running int4   $7 status text
insert into nodes (id, host, pid, version, desired_workers, running_workers, status)
values ($1, $2, $3, $4, $5, $6, $7)
on conflict (id) do update
   set last_seen_at = now(), desired_workers = excluded.desired_workers,
       running_workers = excluded.running_workers, status = excluded.status;
