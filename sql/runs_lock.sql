-- Locks the state rows of runs in order of id: before anything else of them is touched,
-- and as a statement of its own, so that the next one sees what the locks waited for.
-- The runs that wait for one of them are locked with them: their step is woken at the end.
-- $1 runs uuid[]
select count(*) from (
	select execution_id from workflow_run_state
	 where execution_id = any ($1::uuid[] || array(
		select parent_run_id from workflow_runs
		 where id = any ($1::uuid[])))
	 order by execution_id for no key update) locked;
