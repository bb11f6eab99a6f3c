-- The newest version of a workflow by id or name; a project's own before everybody's.
-- $1 id or name text   $2 project uuid (null: default)
select d.id, d.workflow_id, d.name, d.version, d.source, d.project_id, d.is_active
  from stepmill.workflows w
  join stepmill.workflow_definitions d on d.workflow_id = w.id and not d.is_test
 where (w.id::text = $1 or w.name = $1)
   and (w.id::text = $1 or w.project_id is null
	or w.project_id = coalesce($2, '00000000-0000-7000-8000-000000000001'::uuid))
 order by (w.id::text = $1) desc, w.project_id nulls last, d.version desc
 limit 1;
