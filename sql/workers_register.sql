-- $1 id uuid   $2 node uuid   $3 pid int4   $4 slots int4   $5 queues text[]
-- $6 version text   $7 lease int8, microseconds
insert into workers (id, node_id, pid, slots, queues, version, lease_expires_at)
values ($1, $2, $3, $4, $5, $6, now() + $7 * interval '1 microsecond')
on conflict (id) do nothing;
