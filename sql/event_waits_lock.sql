-- Locks the state rows of the runs of which a step waits for this type, in order of id.
-- $1 type text
select count(*) from (
	select execution_id from workflow_run_state
	 where execution_id = any (array(
		select execution_id from event_waits where type = $1 limit 10000))
	 order by execution_id for no key update) locked;
