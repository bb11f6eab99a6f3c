-- A comment of somebody outside, with its event, whatever the run's status. After
-- runs_lock.sql in the same transaction.
-- $1 run uuid   $2 step number int, null: of the run   $3 id uuid   $4 author text
-- $5 message text   $6 metadata jsonb
-- Answer: the number of the event. No row: there is no such run (any more).
with run as materialized (
	select last_seq from workflow_run_state where execution_id = $1
), comment as (
	insert into workflow_comments (id, execution_id, step_number, author, message,
		metadata)
	select $3, $1, $2, $4, $5, $6 from run
), log as (
	insert into workflow_events (execution_id, seq, step_number, type, payload)
	select $1, last_seq + 1, $2, 13, jsonb_build_object('commentId', $3::uuid)
	  from run
)
update workflow_run_state set last_seq = last_seq + 1
 where execution_id = $1
returning last_seq;
