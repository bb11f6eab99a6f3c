-- Second half: a new version where the content differs from the newest one; the same
-- content changes nothing but makes the workflow active again.
-- $1 id uuid (of a new one)  $2 name text  $3 project uuid  $4 source text
-- $5 config jsonb  $6 checksum text  $7 path text  $8 description text
with w as (
	select id from stepmill.workflows
	 where name = $2 and project_id is not distinct from $3),
newest as (
	select d.id, d.version, d.checksum, d.is_active
	  from stepmill.workflow_definitions d, w
	 where d.workflow_id = w.id and not d.is_test order by d.version desc limit 1),
woken as (
	update stepmill.workflow_definitions d
	   set is_active = true, file_path = $7, updated_at = now()
	  from newest
	 where d.id = newest.id and newest.checksum = $6
	   and (not d.is_active or d.file_path <> $7)),
made as (
	insert into stepmill.workflow_definitions (id, workflow_id, name, description,
		version, file_path, source, config, checksum, project_id)
	select $1, w.id, $2, $8, coalesce((select version from newest), 0) + 1, $7, $4,
	       $5, $6, $3
	  from w
	 where not exists (select from newest where checksum = $6)
	returning id, workflow_id, version)
select w.id as workflow_id, coalesce(made.id, newest.id) as definition_id,
       coalesce(made.version, newest.version) as version, made.id is not null as is_new
  from w left join made on true left join newest on true;
