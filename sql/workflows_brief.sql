-- The newest version of each workflow that is in use, as workflow.list shows it.
-- $1 project uuid: its own and everybody's only (null: any)
select coalesce(jsonb_agg(jsonb_build_object('id', x.workflow_id, 'name', x.name,
	'description', x.doc ->> 'description',
	'definitionPath', x.doc ->> 'definitionPath') order by x.name), '[]')
  from (select workflow_id, name, doc from stepmill.v_api_workflows
	 where newest and is_active
	   and ($1::uuid is null or project_id is null or project_id = $1)
	 order by name limit 10000) x;
