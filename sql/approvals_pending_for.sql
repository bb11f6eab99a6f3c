-- What is still to be decided in the runs that a client triggered, oldest first, each as
-- the message that asks for it (dialect_core.c makes the same of the event).
-- $1 requested by text   $2 project uuid: no other's (null: any)
select jsonb_strip_nulls(jsonb_build_object(
	'type', 'workflow.approval.request', 'executionId', r.id,
	'workflowId', d.workflow_id, 'stepId', s.step_key,
	'stepDescription', case when a.prompt <> '' then a.prompt else s.name end))
       || case when a.args is null then '{}'
	  else jsonb_build_object('args', a.args) end
  from stepmill.workflow_approvals a
  join stepmill.workflow_runs r on r.id = a.execution_id
  join stepmill.workflow_definitions d on d.id = r.workflow_def_id
  join stepmill.v_steps s on s.execution_id = a.execution_id
	and s.step_number = a.step_number
 where a.status = 0 and r.requested_by = $1::text
   and ($2::uuid is null or r.project_id = $2)
 order by a.id
 limit 1000;
