-- The runs whose heartbeats found something that needs action, of the last while: what
-- may have been told while nobody here could hear it.
-- $1 microseconds back int8
select distinct run_id from heartbeat_results
 where action_needed and run_id is not null
   and at > now() - $1::int8 * interval '1 microsecond'
 limit 1000;
