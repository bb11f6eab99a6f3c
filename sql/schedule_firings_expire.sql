-- Entries of the ledger that are older than runs are kept go, unless the run that they
-- started is still there; some at a time, the oldest first, from a moment on.
-- $1 how long they are kept int8, microseconds   $2 from timestamptz, null: all   $3 most int4
-- Answer: how many were looked at; when the last one of them was written; how many went.
with old as materialized (
	select schedule_id, fire_time, run_id, created_at from schedule_firings
	 where created_at >= coalesce($2::timestamptz, '-infinity') and created_at < now() - $1::bigint * interval '1 us'
	 order by created_at limit $3
), gone as (
	delete from schedule_firings f using old o
	 where f.schedule_id = any (array[o.schedule_id])
	   and f.fire_time = any (array[o.fire_time])
	   and (select r.id from workflow_runs r where r.id = o.run_id) is null
	returning 1
)
select (select count(*) from old), (select max(created_at) from old),
       (select count(*) from gone);
