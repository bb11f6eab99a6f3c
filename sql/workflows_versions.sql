-- All versions of a workflow, newest first, as the answer's JSON; null: no such workflow.
-- $1 id or name text   $2 project uuid: its own and everybody's only (null: any)
select jsonb_build_object('data', jsonb_agg(doc order by version desc))::text
  from stepmill.v_api_workflows
 where workflow_id = (
	select id from stepmill.workflows
	 where (id::text = $1 or name = $1)
	   and ($2::uuid is null or project_id is null or project_id = $2)
	 order by (id::text = $1) desc, project_id nulls last limit 1)
having count(*) > 0;
