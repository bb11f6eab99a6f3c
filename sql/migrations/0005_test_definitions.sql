-- A step is tested in a definition of its own, which is no version of its workflow: it has
-- the version that it was made from, nobody finds it by name, and the same content is the
-- same definition.
alter table workflow_definitions add column is_test bool not null default false;
alter table workflow_definitions drop constraint workflow_definitions_version_key;
create unique index workflow_definitions_version_key
	on workflow_definitions (name, version, project_id) nulls not distinct
	where not is_test;
create unique index workflow_definitions_test on workflow_definitions (workflow_id, checksum)
	where is_test;

create or replace view v_api_workflows as
select w.id as workflow_id, d.id as definition_id, d.name, d.version, d.is_active,
       d.project_id,
       d.version = max(d.version) over (partition by d.workflow_id) as newest,
       jsonb_build_object('id', w.id, 'definitionId', d.id, 'name', d.name,
	'description', d.description, 'version', d.version, 'isActive', d.is_active,
	'definitionPath', d.file_path, 'projectId', d.project_id, 'checksum', d.checksum,
	'createdAt', rfc3339(d.created_at), 'updatedAt', rfc3339(d.updated_at)) as doc,
       d.config, d.source
  from workflow_definitions d
  join workflows w on w.id = d.workflow_id
 where not d.is_test;
