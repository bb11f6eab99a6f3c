-- Where an artifact lies. No row: no such artifact.
-- $1 id uuid   $2 project uuid: no other's (null: any)
select project_path, storage_path, name, mime_type, sha256
  from stepmill.v_api_artifacts a
 where id = $1
   and ($2::uuid is null or exists (select from stepmill.workflow_runs r
	where r.id = a.execution_id and r.project_id = $2));
