-- Wakes the steps that wait for this type, after event_waits_lock.sql: they look at the
-- events, and wait again if none is theirs. In a paused run they look when that goes on.
-- $1 type text
-- Answer: run, number, queue, priority of what is ready.
with wait as (
	delete from event_waits w
	 where w.type = $1
	returning w.execution_id, w.step_number
), run as (
	select w.execution_id, w.step_number, r.status
	  from wait w
	 cross join lateral (
		select status from workflow_run_state
		 where execution_id = w.execution_id and status + 0 in (1, 2) offset 0) r
), woken as (
	update workflow_steps s
	   set status = case when r.status = 1 then 1 else 0 end, ready_at = now()
	  from run r
	 where s.execution_id = any (array[r.execution_id])
	   and s.step_number = r.step_number and s.status + 0 = 5 and s.phase = 2
	returning r.execution_id, r.status as run_now, s.step_number, s.queue, s.priority
), state as (
	update workflow_run_state r
	   set deadline_at = coalesce(r.deadline_at, now() + r.budget_left),
	       budget_left = null
	  from (select distinct execution_id from woken where run_now = 1) x
	 where r.execution_id = any (array[x.execution_id])
)
select execution_id, step_number, queue, priority from woken where run_now = 1;
