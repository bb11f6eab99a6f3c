-- The one lease of all steps of a worker. No row: it was declared dead.
-- $1 id uuid   $2 lease int8, microseconds   $3 used int4
update workers
   set lease_expires_at = now() + $2 * interval '1 microsecond', last_seen_at = now(),
       used = $3
 where id = $1 and status + 0 = 1
returning 1;
