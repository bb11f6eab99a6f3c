-- Webhook paths that another workflow has, with its name where who asks may know it.
-- $1 name text of the workflow   $2 project uuid, or null: everybody's   $3 paths text, a line each
select t.path, case when $2 is null or w.project_id is null or w.project_id = $2
	then w.name end as name
  from workflow_triggers t join workflows w on w.id = t.workflow_id
 where t.kind = 'webhook' and t.path = any (string_to_array($3, E'\n'))
   and not (w.name = $1 and w.project_id is not distinct from $2)
 limit 1;
