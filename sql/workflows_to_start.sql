-- The newest active version of a workflow by name, as a run of this project may start it:
-- the project's own before everybody's. And how deep that run stands.
-- $1 run uuid   $2 name text
select d.id, (select depth from workflow_runs where id = $1)
  from workflow_definitions d
  join workflow_runs r on r.id = $1
 where d.name = $2 and d.is_active and not d.is_test
   and (d.project_id is null or d.project_id = r.project_id)
 order by d.project_id nulls last, d.version desc limit 1;
