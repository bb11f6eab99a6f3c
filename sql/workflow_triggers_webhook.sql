-- Whose webhook has this path.
-- $1 path text
select workflow_id from workflow_triggers where kind = 'webhook' and path = $1;
