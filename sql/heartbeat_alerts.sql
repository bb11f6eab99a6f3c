-- The alerts of these runs: what their heartbeats found that needs action, and whom that
-- is for. A run without any is left out.
-- $1 runs uuid[]
-- Answer: run, project, workflow, created by, the message (JSON).
select r.run_id, s.project_id, s.workflow_id, s.created_by,
       jsonb_build_object('type', 'heartbeat.alert', 'heartbeatId', s.slug,
	'executionId', r.run_id, 'checks', jsonb_agg(jsonb_build_object(
		'description', r.description, 'actionNeeded', true, 'details', r.details)
		order by r.id), 'timestamp', rfc3339(min(r.at)))
  from heartbeat_results r
  join schedules s on s.id = r.schedule_id
 where r.run_id = any ($1::uuid[]) and r.action_needed
 group by r.run_id, s.project_id, s.workflow_id, s.created_by, s.slug;
