-- What heartbeats found, as clients see it: each row once, as the JSON object that the
-- HTTP API and the CLI show.

-- Why an item could not be evaluated, where its step failed.
alter table heartbeat_results add column error text;
create index heartbeat_results_run on heartbeat_results (run_id) where action_needed;

create view v_api_heartbeats as
select s.id, s.slug, s.name, s.project_id, s.enabled, s.created_at,
       jsonb_build_object(
	'id', s.slug, 'name', s.name, 'heartbeatPath', s.heartbeat_path,
	'interval', coalesce(substring(s.cron_expression from '^\*/(\d+) \* \* \* \*$'),
		substring(s.cron_expression from '^@every (\d+)m$'))::int,
	'cronExpression', s.cron_expression, 'timezone', s.timezone,
	'activeHours', case when s.active_hours_start is not null
		then jsonb_build_object('start', s.active_hours_start,
			'end', s.active_hours_end, 'daysOfWeek',
			coalesce(s.active_hours_days, '{1,2,3,4,5,6,7}')) end,
	'enabled', s.enabled, 'model', s.model, 'webhook', s.webhook,
	'projectId', s.project_id, 'createdBy', s.created_by, 'runCount', s.run_count,
	'nextRun', rfc3339(s.next_run_at), 'lastRunAt', rfc3339(s.last_run_at),
	'lastRunId', s.last_run_id, 'createdAt', rfc3339(s.created_at),
	'updatedAt', rfc3339(s.updated_at)) as doc
  from schedules s
 where s.kind = 'heartbeat';

create view v_api_heartbeat_results as
select r.id, r.schedule_id, r.action_needed, r.at, s.project_id,
       jsonb_build_object('id', r.id, 'heartbeatId', s.slug, 'executionId', r.run_id,
	'at', rfc3339(r.at), 'description', r.description,
	'actionNeeded', r.action_needed, 'details', r.details, 'error', r.error) as doc
  from heartbeat_results r
  join schedules s on s.id = r.schedule_id;
