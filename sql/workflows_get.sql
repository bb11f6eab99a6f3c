-- One workflow, its newest version, with config. No row: no such workflow.
-- $1 id or name text
select (doc || jsonb_build_object('config', config, 'source', source))::text, source
  from stepmill.v_api_workflows
 where newest and (workflow_id::text = $1 or name = $1)
 order by (workflow_id::text = $1) desc
 limit 1;
