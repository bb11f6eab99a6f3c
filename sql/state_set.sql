-- Keeps one value of a run's state, if the attempt still holds its step. After
-- runs_lock.sql in the same transaction: whoever takes the step away waits for that lock.
-- $1 run uuid   $2 step number int   $3 fence int   $4 key text   $5 value jsonb
-- $6 most bytes of the whole state as text int
-- Answer: still held; stored (else the state would be too large).
with held as materialized (
	select 1 from workflow_steps
	 where execution_id = $1 and step_number = $2 and fence = $3 and status + 0 = 2
), stored as (
	update workflow_runs r
	   set state = r.state || jsonb_build_object($4::text, $5::jsonb), updated_at = now()
	 where r.id = $1 and exists (select from held)
	   and octet_length((r.state || jsonb_build_object($4::text, $5::jsonb))::text) <= $6
	returning 1
)
select exists (select from held), exists (select from stored);
