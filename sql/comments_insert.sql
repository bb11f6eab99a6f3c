-- A comment of a step, with its event, if the attempt still holds its step. After
-- runs_lock.sql in the same transaction. The id is made from the step: an attempt that
-- repeats a lost one does not comment twice.
-- $1 run uuid   $2 step number int   $3 fence int   $4 id uuid   $5 on the step bool
-- $6 author text   $7 message text   $8 metadata jsonb
-- Answer: still held; the number of the event, null when it was there already.
with held as materialized (
	select r.last_seq from workflow_run_state r
	 where r.execution_id = $1 and exists (
		select from workflow_steps
		 where execution_id = $1 and step_number = $2 and fence = $3
		   and status + 0 = 2)
), comment as (
	insert into workflow_comments (id, execution_id, step_number, author, message,
		metadata)
	select $4, $1, case when $5 then $2 end, $6, $7, $8 from held
	on conflict (id) do nothing
	returning step_number
), log as (
	insert into workflow_events (execution_id, seq, step_number, type, payload)
	select $1, h.last_seq + 1, c.step_number, 13,
	       jsonb_build_object('commentId', $4::uuid)
	  from comment c cross join held h
), state as (
	update workflow_run_state set last_seq = last_seq + 1
	 where execution_id = $1 and exists (select from comment)
	returning last_seq
)
select exists (select from held), (select last_seq from state);
