-- First half of a registration: the workflow's own row, locked until the commit, so that
-- two registrations of one name come one after the other.
-- $1 id uuid (of a new one)  $2 name  $3 description  $4 path text  $5 project uuid
insert into stepmill.workflows (id, name, description, definition_path, project_id)
values ($1, $2, $3, $4, $5)
on conflict on constraint workflows_name_key
do update set description = excluded.description,
	      definition_path = excluded.definition_path, updated_at = now();
