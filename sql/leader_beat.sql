-- The leader lives. No row: it leads no more, or this is not the session that took the
-- lock (a pooler between us and the server). Also brings the server's clock.
-- $1 epoch int8
update scheduler_leader set seen_at = clock_timestamp()
 where epoch = $1 and backend = pg_backend_pid()
returning clock_timestamp();
