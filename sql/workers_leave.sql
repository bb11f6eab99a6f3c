-- A worker ends in good order. Comes after workers_lock.sql; what it still holds is given
-- back by the statements after it (runs_lock_held.sql, steps_hand_back_all.sql).
-- $1 worker uuid
update workers set status = 3, ended_at = now() where id = $1 and status + 0 = 1;
