-- Schedules whose time has come, or will soon, the earliest first, with what it takes to fire them: the
-- newest version of the workflow, and whether the last run still lives. A heartbeat is run
-- by the built-in workflow, whose input says which one it is.
-- $1 most int4   $2 how far ahead int8, microseconds
select s.id, s.revision, s.next_run_at, s.created_at, clock_timestamp(),
       s.cron_expression, s.timezone, s.active_hours_start, s.active_hours_end,
       to_jsonb(s.active_hours_days), s.jitter_ms, s.catch_up, s.overlap = 'skip',
       s.max_runs - s.run_count, s.name, s.kind, s.project_id, s.created_by, s.tools,
       case when s.kind = 'workflow' then s.input else jsonb_build_object(
		'scheduleId', s.id, 'heartbeatId', s.slug, 'heartbeatPath', s.heartbeat_path,
		'model', s.model, 'webhook', s.webhook) end,
       coalesce(r.status in (0, 1, 2), false), w.id, d.id, d.is_active
  from (select * from schedules where due_at <= clock_timestamp() + $2::bigint * interval '1 us'
	 order by due_at limit $1) s
  left join lateral (
	select status from workflow_run_state
	 where execution_id = s.last_run_id offset 0) r on true
  left join lateral (
	select id from workflows
	 where id = s.workflow_id
	    or s.kind = 'heartbeat' and name = 'stepmill.heartbeat' and project_id is null
	 limit 1) w on true
  left join lateral (
	select id, is_active from workflow_definitions
	 where workflow_id = w.id and not is_test
	 order by version desc limit 1) d on true
 order by s.due_at;
