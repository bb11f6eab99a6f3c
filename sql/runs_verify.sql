-- Is everything there that these runs should have left? Completed steps; events; runs
-- whose events are not numbered from 1 to the last without a gap.
-- $1 definition uuid   $2 first id uuid   $3 last id uuid
with r as materialized (
	select r.id, s.last_seq
	  from stepmill.workflow_runs r
	  join stepmill.workflow_run_state s on s.execution_id = r.id
	 where r.workflow_def_id = $1 and r.id between $2 and $3),
e as materialized (
	select execution_id, count(*) as events, min(seq) as low, max(seq) as high
	  from stepmill.workflow_events
	 where execution_id between $2 and $3 group by execution_id)
select (select count(*) from stepmill.workflow_steps t
	 where t.execution_id between $2 and $3 and t.status = 6
	   and t.execution_id in (select id from r)),
       (select coalesce(sum(events), 0)::bigint from e
	 where execution_id in (select id from r)),
       (select count(*) from r left join e on e.execution_id = r.id
	 where e.low is distinct from 1 or e.high is distinct from r.last_seq
	    or e.events is distinct from r.last_seq);
