-- Wakes the steps that wait for runs which have ended, in the transaction of that end; the
-- state rows of their runs are locked. In a paused run they are ready when it goes on.
-- $1 runs uuid[]: that have ended
-- Answer: run, number, queue, priority of what is ready.
with child as (
	select r.parent_run_id as run, r.parent_step as number, p.status as run_now
	  from unnest($1::uuid[]) u (id)
	 cross join lateral (
		select parent_run_id, parent_step from workflow_runs
		 where id = u.id and status + 0 >= 3 offset 0) r
	 cross join lateral (
		select status from workflow_run_state
		 where execution_id = r.parent_run_id and status + 0 in (1, 2) offset 0) p
), woken as (
	update workflow_steps s
	   set status = case when c.run_now = 1 then 1 else 0 end, ready_at = now(),
	       run_at = null
	  from child c
	 where s.execution_id = any (array[c.run]) and s.step_number = c.number
	   and s.status + 0 = 5 and s.phase = 2
	returning c.run, c.run_now, s.step_number, s.queue, s.priority
), state as (
	update workflow_run_state r
	   set deadline_at = coalesce(r.deadline_at, now() + r.budget_left),
	       budget_left = null
	  from (select distinct run from woken where run_now = 1) x
	 where r.execution_id = any (array[x.run])
)
select run, step_number, queue, priority from woken where run_now = 1;
