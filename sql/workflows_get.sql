-- One workflow, its newest version, with config. No row: no such workflow.
-- $1 id or name text   $2 project uuid: its own and everybody's only (null: any)
select (doc || jsonb_build_object('config', config, 'source', source))::text, source
  from stepmill.v_api_workflows
 where newest and (workflow_id::text = $1 or name = $1)
   and ($2::uuid is null or project_id is null or project_id = $2)
 order by (workflow_id::text = $1) desc, project_id nulls last
 limit 1;
