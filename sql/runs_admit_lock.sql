-- After concurrency_lock.sql: locks the state rows of the runs that runs_admit.sql may let
-- begin, in order of id.
-- $1 key text
select count(*) from (
	select execution_id from workflow_run_state
	 where execution_id = any (array(
		select id from (
			select id from workflow_runs
			 where concurrency_key = $1 and status = 0
			   and (run_at is null or run_at <= now()) offset 0) pending
		 order by id limit 100))
	 order by execution_id for no key update) locked;
