-- Runs with onInterrupt: crash of which a worker that is declared dead held a step are
-- crashed until a person resumes them; after runs_lock_held.sql, before
-- steps_requeue_lost.sql, which then finds nothing of them. What somebody was asked is void;
-- a run that goes on asks anew.
-- $1 worker uuid
with run as (
	select x.execution_id, x.steps, s.last_seq, s.current_step, uuid7() as comment_id
	  from (select execution_id, array_agg(step_number order by step_number) as steps
		  from (select execution_id, step_number from workflow_steps
			 where worker_id = $1 and status = 2 offset 0) held
		 group by execution_id) x
	 cross join lateral (
		select last_seq, current_step from workflow_run_state
		 where execution_id = x.execution_id and status + 0 in (1, 2) offset 0) s
	 cross join lateral (
		select crash_on_interrupt from workflow_runs
		 where id = x.execution_id offset 0) r
	 where r.crash_on_interrupt
), step as (
	update workflow_steps s
	   set status = 9, worker_id = null, fence = s.fence + 1, completed_at = now(),
	       losses = s.losses + (s.worker_id = $1 and s.status = 2)::int,
	       attempt_number = s.attempt_number + (s.worker_id = $1 and s.status = 2)::int,
	       started_logged = false, started_at = null
	  from run r
	 where s.execution_id = any (array[r.execution_id]) and s.status + 0 < 6
), void as (
	update workflow_approvals a set status = 4, updated_at = now()
	  from run r
	 where a.execution_id = any (array[r.execution_id]) and a.status + 0 = 0
), comment as (
	insert into workflow_comments (id, execution_id, author, message)
	select comment_id, execution_id, 'stepmill',
	       'Crashed: the worker that ran it was lost, and onInterrupt is crash'
	  from run
), log as (
	insert into workflow_events (execution_id, seq, type, payload)
	select r.execution_id, r.last_seq + e.ord, e.type, e.payload
	  from run r cross join lateral (values
		(1, 13, jsonb_build_object('commentId', r.comment_id)),
		(2, 20, jsonb_build_object('reason', 'worker lost', 'workerId', $1::uuid,
			'steps', r.steps))) e (ord, type, payload)
), state as (
	update workflow_run_state r
	   set status = 7, last_seq = r.last_seq + 2, worker_id = null, started_at = null,
	       deadline_at = null,
	       budget_left = coalesce(r.deadline_at - now(), r.budget_left)
	  from run x
	 where r.execution_id = any (array[x.execution_id])
)
update workflow_runs r
   set status = 7, completed_at = now(), updated_at = now(), current_step = x.current_step,
       error = jsonb_build_object('code', 'crashed', 'message',
		'it was interrupted: the worker that ran it was lost')
  from run x
 where r.id = any (array[x.execution_id]);
