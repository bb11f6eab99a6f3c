-- No version of the workflow can be started any more.
-- $1 workflow uuid
update workflow_definitions set is_active = false, updated_at = now()
 where workflow_id = $1 and is_active;
