-- What clients see of schedules and of the ledger of their firings: each row once, as the
-- JSON object that the HTTP API and the CLI show. A heartbeat is called by its slug.

create view v_api_schedules as
select s.id, s.slug, s.name, s.kind, s.project_id, s.workflow_id, s.enabled, s.created_at,
       jsonb_build_object(
	'id', coalesce(s.slug, s.id::text), 'name', s.name, 'kind', s.kind,
	'projectId', s.project_id, 'cronExpression', s.cron_expression,
	'timezone', s.timezone, 'workflowId', s.workflow_id, 'workflowName', w.name,
	'activeHours', case when s.active_hours_start is not null
		then jsonb_build_object('start', s.active_hours_start,
			'end', s.active_hours_end, 'daysOfWeek',
			coalesce(s.active_hours_days, '{1,2,3,4,5,6,7}')) end,
	'maxRuns', s.max_runs, 'runCount', s.run_count, 'catchUp', s.catch_up,
	'overlap', s.overlap, 'jitterMs', s.jitter_ms, 'input', s.input,
	'enabled', s.enabled, 'nextRun', rfc3339(s.next_run_at),
	'lastRunAt', rfc3339(s.last_run_at), 'lastRunId', s.last_run_id)
       || jsonb_build_object(
	'declaredBy', s.declared_by, 'createdBy', s.created_by,
	'heartbeatPath', s.heartbeat_path, 'model', s.model, 'webhook', s.webhook,
	'createdAt', rfc3339(s.created_at), 'updatedAt', rfc3339(s.updated_at)) as doc
  from schedules s
  left join workflows w on w.id = s.workflow_id;

create view v_api_firings as
select f.schedule_id, f.fire_time, f.outcome,
       jsonb_build_object('scheduleId', coalesce(s.slug, s.id::text),
	'fireTime', rfc3339(f.fire_time), 'outcome', f.outcome, 'executionId', f.run_id,
	'detail', f.detail, 'createdAt', rfc3339(f.created_at)) as doc
  from schedule_firings f
  join schedules s on s.id = f.schedule_id;
