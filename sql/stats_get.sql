-- What has become of the runs made since a moment, as the answer's JSON: by status and
-- workflow, how many ended and how long they took. The newest 100,000 of them are looked
-- at, found by their ids, which sort by time; what is unfinished is counted whole.
-- $1 since timestamptz   $2 project uuid: of this one only (null: all)
with newest as materialized (
	select r.id, r.workflow_def_id, s.status, r.started_at, r.completed_at
	  from workflow_runs r join workflow_run_state s on s.execution_id = r.id
	 where r.id >= uuid_at($1) and ($2::uuid is null or r.project_id = $2)
	   and r.triggered_by <> 'test'
	 order by r.id desc limit 100000),
seen as materialized (
	select d.workflow_id, d.name, n.status, n.completed_at,
	       extract(epoch from n.completed_at - n.started_at) * 1000 as ms
	  from newest n join workflow_definitions d on d.id = n.workflow_def_id),
open as (
	select s.status, count(*) as runs
	  from workflow_run_state s
	 where s.status < 3 and ($2::uuid is null or exists (
		select from workflow_runs r
		 where r.id = s.execution_id and r.project_id = $2))
	 group by s.status),
durations as (
	select count(ms) as runs, avg(ms) as mean,
	       percentile_cont(array[0.5, 0.95, 0.99]) within group (order by ms) as p
	  from seen where status = 3),
workflow as (
	select workflow_id, max(name) as name, count(*) as runs,
	       count(*) filter (where status < 3) as unfinished,
	       count(*) filter (where status = 3) as completed,
	       count(*) filter (where status in (4, 6, 7)) as failed,
	       count(*) filter (where status = 5) as cancelled,
	       avg(ms) filter (where status = 3) as mean,
	       percentile_cont(array[0.5, 0.95]) within group (order by ms)
		 filter (where status = 3) as p
	  from seen group by workflow_id order by count(*) desc limit 100)
select jsonb_build_object(
	'since', rfc3339($1), 'until', rfc3339(now()),
	'truncated', (select count(*) from newest) = 100000,
	'executions', (select jsonb_object_agg(upper(run_status_name(x.status::smallint)),
			coalesce(c.runs, 0)) from generate_series(0, 7) x (status)
		left join (select status, count(*) as runs from seen group by status) c
		  using (status)),
	'unfinished', (select jsonb_object_agg(upper(run_status_name(x.status::smallint)),
			coalesce(o.runs, 0)) from generate_series(0, 2) x (status)
		left join open o using (status)),
	'throughput', (select jsonb_build_object(
			'ended', count(*) filter (where completed_at is not null),
			'lastMinute', count(*) filter
				(where completed_at > now() - interval '1 minute'),
			'lastHour', count(*) filter
				(where completed_at > now() - interval '1 hour'),
			'perMinute', round((count(*) filter (where completed_at is not null)
				/ greatest(extract(epoch from now() - $1) / 60, 1))::numeric, 3))
		from seen),
	'durations', (select jsonb_build_object('runs', runs,
			'meanMs', round(mean::numeric), 'p50Ms', round(p[1]::numeric),
			'p95Ms', round(p[2]::numeric), 'p99Ms', round(p[3]::numeric))
		from durations),
	'workflows', coalesce((select jsonb_agg(jsonb_build_object(
			'workflowId', workflow_id, 'name', name, 'runs', runs,
			'unfinished', unfinished, 'completed', completed, 'failed', failed,
			'cancelled', cancelled, 'meanMs', round(mean::numeric),
			'p50Ms', round(p[1]::numeric), 'p95Ms', round(p[2]::numeric))
			order by runs desc, name) from workflow), '[]'))::text;
