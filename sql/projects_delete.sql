-- A project without runs goes, with its workflows, definitions and what else belongs to it;
-- after projects_delete_runs.sql. "default" is an error of the constraint projects_default
-- (a trigger's). No row: there is none, or there are runs of it.
-- $1 id uuid
delete from projects
 where id = $1 and not exists (select from workflow_runs where project_id = $1)
returning name;
