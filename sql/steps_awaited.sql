-- Those of the named steps of a run that have ended, for the program that waits for them.
-- $1 run uuid   $2 numbers int4[]
select s.step_number, s.status::int, s.output, s.error
  from unnest($2::int[]) u (number)
 cross join lateral (
	select step_number, status, output, error from workflow_steps
	 where execution_id = $1 and step_number = u.number and status + 0 >= 6 offset 0) s;
