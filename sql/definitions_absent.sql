-- Workflows whose file went away become inactive, and their triggers and declared schedules
-- go; registered ones without a file stay.
-- $1 names text[] that were found   $2 project uuid (null: everybody's)
-- $3 paths text[] of files that are there and cannot be read: what came from them stays
with newest as (
	select distinct on (workflow_id) id, workflow_id, name, file_path, is_active
	  from stepmill.workflow_definitions
	 where project_id is not distinct from $2 and not is_test
	 order by workflow_id, version desc),
absent as (
	update stepmill.workflow_definitions d
	   set is_active = false, updated_at = now()
	  from newest
	 where d.id = newest.id and newest.is_active and newest.file_path <> ''
	   and newest.name <> all ($1::text[]) and newest.file_path <> all ($3::text[])
	returning d.workflow_id, d.name),
gone as (
	delete from workflow_triggers t using absent
	 where t.workflow_id = absent.workflow_id
	returning pg_notify('stepmill_schedules', '')),
undeclared as (
	delete from schedules s using absent where s.declared_by = absent.workflow_id
	returning pg_notify('stepmill_schedules', ''))
select name from absent;
