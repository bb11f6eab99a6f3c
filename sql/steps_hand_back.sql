-- Gives back single steps without spending an attempt, under a new fence. Comes after the
-- locks of steps_finish_lock.sql.
-- Of a paused run it is pending until that goes on.
-- $1 worker uuid   $2 runs uuid[]   $3 numbers int4[]   $4 fences int4[]
with back as (
	update workflow_steps s
	   set status = case when (select r.status from workflow_run_state r
			where r.execution_id = s.execution_id) = 2 then 0 else 1 end,
	       worker_id = null, fence = s.fence + 1, ready_at = now(),
	       started_at = null
	  from unnest($2::uuid[], $3::int[], $4::int[]) u (run, number, fence)
	 where s.execution_id = any (array[u.run]) and s.step_number = u.number
	   and s.fence = u.fence and s.worker_id = $1 and s.status + 0 = 2
	returning s.execution_id, s.step_number, s.queue, s.priority
), state as (
	update workflow_run_state r set worker_id = null, started_at = null
	  from (select distinct execution_id from back) x
	 where r.execution_id = any (array[x.execution_id])
)
select execution_id, step_number, queue, priority from back;
