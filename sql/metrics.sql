-- What /metrics says about runs, steps and workers: counted over the partial indexes.
select 'runs' as what, stepmill.run_status_name(status) as label, count(*)
  from stepmill.workflow_run_state where status < 3 group by status
union all
select 'ready', queue, count(*) from (select queue from stepmill.workflow_steps
	where status = 1 limit 10000) ready group by queue
union all
select 'held', 'steps', count(*) from (select from stepmill.workflow_steps
	where status = 2 limit 10000) held
union all
select 'delayed', 'steps', count(*) from (select from stepmill.workflow_steps
	where status in (3, 5) limit 10000) delayed
union all
select 'ready_age_ms', queue, (extract(epoch from now() - min(ready_at)) * 1000)::bigint
  from (select queue, ready_at from stepmill.workflow_steps
	 where status = 1 order by queue, priority, ready_at limit 10000) oldest
 group by queue
union all
select 'workers', case status when 1 then 'alive' when 2 then 'dead' else 'left' end,
       count(*) from stepmill.workers group by status
union all
select 'slots', 'used', coalesce(sum(used), 0) from stepmill.workers where status = 1
union all
select 'slots', 'all', coalesce(sum(slots), 0) from stepmill.workers where status = 1;
