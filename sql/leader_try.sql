-- Takes the leadership if nobody has it: the session's lock, under a new epoch. Asked
-- again and again rather than waited for: a statement that waits holds a snapshot, and
-- for as long as there is a leader nothing dead could be vacuumed. No row: another leads.
-- $1 host text   $2 pid int4
with lock as materialized (
	select pg_try_advisory_lock(7366530, 3) as taken
)
update scheduler_leader
   set epoch = epoch + 1, backend = pg_backend_pid(), host = $1, pid = $2,
       elected_at = now(), seen_at = now()
  from lock
 where lock.taken
returning epoch;
