-- Runs that ended longer ago than runs are kept go, with all their rows; after
-- runs_lock.sql in the same transaction. One that was resumed meanwhile stays.
-- $1 runs uuid[]   $2 how long they are kept int8, microseconds
-- Answer: how many went.
with gone as (
	delete from workflow_runs r
	 where r.id = any ($1::uuid[])
	   and coalesce(r.completed_at, 'infinity') < now() - $2::bigint * interval '1 us'
	   and (select status from workflow_run_state s where s.execution_id = r.id) >= 3
	returning 1
)
select count(*) from gone;
