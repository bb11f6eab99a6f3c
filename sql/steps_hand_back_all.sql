-- Gives back what a worker holds without spending an attempt, under a new fence.
-- Of a paused run it is pending until that goes on.
-- $1 worker uuid
with back as (
	update workflow_steps s
	   set status = case when (select r.status from workflow_run_state r
			where r.execution_id = s.execution_id) = 2 then 0 else 1 end,
	       worker_id = null, fence = s.fence + 1, ready_at = now(),
	       started_at = null
	 where s.worker_id = $1 and s.status = 2
	returning s.execution_id, s.step_number, s.queue, s.priority
), state as (
	update workflow_run_state r set worker_id = null, started_at = null
	  from (select distinct execution_id from back) x
	 where r.execution_id = any (array[x.execution_id])
)
select execution_id, step_number, queue, priority from back;
