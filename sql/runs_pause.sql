-- A person pauses a run, after runs_lock.sql: nothing of it is claimed any more, what is
-- held runs to its end. Its time stands still. One that already waits for an approval
-- stays paused when that is given.
-- $1 run uuid   $2 by text
-- No row: no such run. Else: its status before and after, last event number.
with run as (
	select execution_id, status, last_seq, paused_by, uuid7() as comment_id,
	       status = 1 or (status = 2 and paused_by = 2) as pauses
	  from workflow_run_state where execution_id = $1
), step as (
	update workflow_steps s set status = 0
	  from run r
	 where r.pauses and s.execution_id = any (array[r.execution_id]) and s.status + 0 = 1
), comment as (
	insert into workflow_comments (id, execution_id, author, message)
	select comment_id, execution_id, 'stepmill', 'Paused' || coalesce(' by ' || $2, '')
	  from run where pauses
), log as (
	insert into workflow_events (execution_id, seq, type, payload)
	select r.execution_id, r.last_seq + e.ord, e.type, e.payload
	  from run r cross join lateral (values
		(1, 10, jsonb_build_object('reason', 'asked for', 'by', $2::text)),
		(2, 13, jsonb_build_object('commentId', r.comment_id))) e (ord, type, payload)
	 where r.pauses
), state as (
	update workflow_run_state r
	   set status = 2, paused_by = 1, last_seq = r.last_seq + 2, deadline_at = null,
	       budget_left = coalesce(r.deadline_at - now(), r.budget_left)
	  from run x
	 where x.pauses and r.execution_id = any (array[x.execution_id])
), runs as (
	update workflow_runs r set status = 2, paused_at = now(), updated_at = now()
	  from run x
	 where x.pauses and r.id = any (array[x.execution_id])
)
select execution_id, status::int, case when pauses then 2 else status end::int,
       case when pauses then last_seq + 2 else last_seq end, pauses
  from run;
