-- The newest visits of named steps of runs; a null key asks for all steps of that run.
-- Items of a foreach are no visits.
-- $1 runs uuid[]   $2 keys text[]
select u.run, s.step_key, s.step_number, s.status, s.output, s.error
  from unnest($1::uuid[], $2::text[]) u (run, key)
 cross join lateral (
	(select step_key, step_number, status, output, error from workflow_steps
	  where u.key is not null and execution_id = u.run and step_key = u.key
		    and item is null
	  order by step_number desc limit 1)
	union all
	(select distinct on (step_key) step_key, step_number, status, output, error
	   from workflow_steps
	  where u.key is null and execution_id = u.run and item is null
	  order by step_key, step_number desc)) s;
