-- Ends the session of a leader that has not been seen for so long: its host is gone, or
-- it hangs. With the session the lock goes, and whoever asks next leads.
-- $1 patience in microseconds int8
with stale as materialized (
	select epoch from scheduler_leader
	 where seen_at < clock_timestamp() - $1 * interval '1 microsecond'
)
select stale.epoch, pg_terminate_backend(l.pid)
  from stale
 cross join lateral (
	select pid from pg_locks
	 where locktype = 'advisory' and classid = 7366530 and objid = 3 and objsubid = 2
	   and granted and pid <> pg_backend_pid() and database = (
		select oid from pg_database where datname = current_database())) l;
