-- What is needed to run a run again: how it was started, its definition, and its rows.
-- $1 run uuid
select r.workflow_def_id, r.project_id, r.input::text, r.trigger_payload::text, r.priority,
       s.status, (select source from workflow_definitions where id = r.workflow_def_id),
       coalesce((select jsonb_agg(jsonb_build_array(t.step_number, t.step_key, t.status,
			coalesce(t.parent_step, 0), t.item is not null) order by t.step_number)
		  from workflow_steps t
		 where t.execution_id = r.id and t.step_number > 0), '[]')::text,
       r.triggered_by = 'test'
  from workflow_runs r
  join workflow_run_state s on s.execution_id = r.id
 where r.id = $1;
