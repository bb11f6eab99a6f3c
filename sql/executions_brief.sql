-- A page of runs, newest first, as workflow.execution.list shows them; tests only when
-- asked for are no part of it. The second column is the cursor of the next page, null
-- at the end.
-- $1 statuses int2[] (empty: all)   $2 workflow id or name   $3 limit int4
-- $4 cursor bigint: run number of the last one of the page before (null: from the newest)
-- $5 project uuid: no other's (null: any)
with page as (
	select v.id, v.run_number, v.workflow_id, v.status_code, v.current_step,
	       coalesce(v.started_at, v.created_at) as started_at, v.completed_at
	  from stepmill.v_runs v
	 where (cardinality($1::int2[]) = 0 or v.status_code = any ($1))
	   and ($2::text is null or v.workflow_id::text = $2 or v.workflow_name = $2)
	   and ($4::bigint is null or v.run_number < $4)
	   and ($5::uuid is null or v.project_id = $5)
	   and v.triggered_by <> 'test'
	 order by v.run_number desc limit $3::int)
select coalesce(jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
		'id', p.id, 'workflowId', p.workflow_id,
		'status', (array['running', 'running', 'paused', 'completed', 'failed',
			'failed', 'failed', 'failed'])[p.status_code + 1],
		'currentStepId', (select step_key from stepmill.workflow_steps
			where execution_id = p.id and step_number = p.current_step),
		'startedAt', stepmill.rfc3339(p.started_at),
		'completedAt', stepmill.rfc3339(p.completed_at)))
	order by p.run_number desc), '[]'),
       case when count(*) = $3::int then min(p.run_number)::text end
  from page p;
