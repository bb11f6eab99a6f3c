-- No version of the workflow can be started any more; its triggers and declared schedules go.
-- $1 workflow uuid
with gone as (
	delete from workflow_triggers where workflow_id = $1
	returning pg_notify('stepmill_schedules', '')),
undeclared as (
	delete from schedules where declared_by = $1
	returning pg_notify('stepmill_schedules', ''))
update workflow_definitions set is_active = false, updated_at = now()
 where workflow_id = $1 and is_active;
