-- How many steps a program has had, once its run is over: after steps_finish.sql in its
-- transaction, for what it took.
-- $1 runs uuid[]
update workflow_runs r
   set step_count = x.most, current_step = nullif(x.most, 0)
  from unnest($1::uuid[]) u (run)
 cross join lateral (
	select coalesce(max(step_number), 0) as most from workflow_steps
	 where execution_id = u.run and step_number > 0 offset 0) x
 where r.id = any (array[u.run]) and r.status + 0 >= 3;
