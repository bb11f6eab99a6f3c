-- Declares a worker dead. Comes after workers_lock.sql, so a finish of it that was in
-- flight is committed and seen; a later one is refused. Its steps are requeued by the
-- statements after this one (runs_lock_held.sql, steps_requeue_lost.sql), in the same
-- transaction. Its process tree must be gone before.
-- $1 worker uuid
update workers set status = 2, ended_at = now() where id = $1 and status + 0 = 1;
