-- A run that is over goes, with all its rows; after runs_lock.sql in the same transaction.
-- No row: there is no such run (any more), or it is alive.
-- $1 run uuid
delete from workflow_runs
 where id = $1 and exists (
	select from workflow_run_state where execution_id = $1 and status + 0 >= 3)
returning id;
