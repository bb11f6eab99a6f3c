-- Schedules and heartbeats as schedule.list shows them, the oldest first: what is empty is
-- left out.
-- $1 project uuid: of this one only (null: all)
select coalesce(jsonb_agg(jsonb_strip_nulls(jsonb_build_object('id', doc->'id',
	'name', doc->'name', 'cronExpression', doc->'cronExpression',
	'timezone', doc->'timezone', 'enabled', doc->'enabled', 'nextRun', doc->'nextRun',
	'workflowId', doc->'workflowId', 'activeHours', doc->'activeHours',
	'maxRuns', doc->'maxRuns')) order by x.id), '[]')
  from (select id, doc from v_api_schedules
	 where $1::uuid is null or project_id = $1
	 order by id limit 10000) x;
