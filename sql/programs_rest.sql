-- A program rests until one of the steps ends that it waits for: after steps_finish.sql in
-- its transaction. One that has ended already makes it ready at once.
-- $1 runs uuid[]   $2 numbers int4[]: of the steps, with their runs
-- Answer: run, number, queue, priority of what is ready.
with over as (
	select distinct u.run, r.status as run_now
	  from unnest($1::uuid[], $2::int[]) u (run, number)
	 cross join lateral (
		select status from workflow_steps
		 where execution_id = u.run and step_number = u.number
		   and status + 0 >= 6 offset 0) s
	 cross join lateral (
		select status from workflow_run_state
		 where execution_id = u.run and status + 0 in (1, 2) offset 0) r
), woken as (
	update workflow_steps s
	   set status = case when o.run_now = 1 then 1 else 0 end, ready_at = now()
	  from over o
	 where s.execution_id = any (array[o.run]) and s.step_number = -1
	   and s.status + 0 = 5 and s.phase = 3
	returning o.run, o.run_now, s.step_number, s.queue, s.priority
)
select run, step_number, queue, priority from woken where run_now = 1;
