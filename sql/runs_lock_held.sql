-- Locks the state rows of all runs of which this worker holds steps, in order of id.
-- $1 worker uuid
select count(*) from (
	select execution_id from workflow_run_state
	 where execution_id = any (array(
		select execution_id from workflow_steps
		 where worker_id = $1 and status = 2))
	 order by execution_id for no key update) locked;
