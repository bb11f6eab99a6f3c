-- Runs as workflow.status tells of them: pending as running; cancelled, timed out and
-- crashed as failed with the reason; of each step that completed, failed or asks for
-- approval its newest visit. An output of more than 64 KiB, or past 512 KiB of all, is
-- left out. No row: no such run, or another project's.
-- $1 runs uuid[]   $2 project uuid: no other's (null: any)
-- Answer: run, the body, requested by.
select r.id,
       jsonb_strip_nulls(jsonb_build_object(
	'executionId', r.id, 'workflowId', d.workflow_id,
	'status', (array['running', 'running', 'paused', 'completed', 'failed', 'failed',
		'failed', 'failed'])[s.status + 1],
	'reason', case when s.status > 4 then stepmill.run_status_name(s.status) end,
	'currentStepId', (select step_key from stepmill.workflow_steps
		where execution_id = r.id and step_number = s.current_step)))
       || jsonb_build_object('stepResults', (
	select coalesce(jsonb_object_agg(v.step_key, v.doc), '{}'::jsonb)
	  from (select n.step_key,
		       jsonb_build_object('status', case n.status when 6 then 'success'
				when 7 then 'failure' else 'paused' end)
		       || case when n.size <= 65536 and sum(n.size)
			  filter (where n.size <= 65536)
			  over (order by n.step_number desc) <= 524288
			  then jsonb_build_object('output', n.output)
			  else '{"outputTruncated": true}' end
		       || case when n.completed_at is not null
			  then jsonb_build_object('completedAt',
				stepmill.rfc3339(n.completed_at))
			  else '{}' end as doc
		  from (select distinct on (step_key) step_key, step_number, status,
			       output, completed_at,
			       coalesce(octet_length(output::text), 0) as size
			  from stepmill.workflow_steps
			 where execution_id = r.id and step_number > 0
			   and item_index is null
			 order by step_key, step_number desc) n
		 where n.status in (4, 6, 7)) v)),
       r.requested_by
  from unnest($1::uuid[]) asked (id)
  join stepmill.workflow_runs r on r.id = asked.id
  join stepmill.workflow_run_state s on s.execution_id = r.id
  join stepmill.workflow_definitions d on d.id = r.workflow_def_id
 where $2::uuid is null or r.project_id = $2;
