-- Cancels what is still open of runs that have ended, after steps_finish.sql in its
-- transaction: what a step that led to the end left behind, and children of it.
-- $1 runs uuid[]
with ended as (
	select execution_id, last_seq from workflow_run_state
	 where execution_id = any ($1::uuid[]) and status + 0 >= 3
), cut as (
	update workflow_steps s
	   set status = 9, worker_id = null, fence = s.fence + 1, completed_at = now()
	  from ended e
	 where s.execution_id = any (array[e.execution_id]) and s.status + 0 < 6
	returning e.execution_id, s.step_number
), void as (
	update workflow_approvals a set status = 4, updated_at = now()
	  from cut c
	 where a.execution_id = any (array[c.execution_id])
	   and a.step_number = c.step_number and a.status + 0 = 0
)
select count(*) from cut;
