-- Where an artifact lies. No row: no such artifact.
-- $1 id uuid
select project_path, storage_path, name, mime_type, sha256
  from stepmill.v_api_artifacts where id = $1;
