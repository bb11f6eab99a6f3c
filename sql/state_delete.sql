-- Forgets one value of a run's state, if the attempt still holds its step. After
-- runs_lock.sql in the same transaction.
-- $1 run uuid   $2 step number int   $3 fence int   $4 key text
-- Answer: still held; there was one.
with held as materialized (
	select 1 from workflow_steps
	 where execution_id = $1 and step_number = $2 and fence = $3 and status + 0 = 2
), stored as (
	update workflow_runs r set state = r.state - $4::text, updated_at = now()
	 where r.id = $1 and r.state ? $4::text and exists (select from held)
	returning 1
)
select exists (select from held), exists (select from stored);
