-- A bot as a step of a run may use it. No row: there is none.
-- $1 run uuid   $2 slug text
select b.id, b.system_prompt, b.model, b.tools, b.handler_skill
  from bots b join workflow_runs r on r.id = $1
 where b.slug = $2 and (b.project_id is null or b.project_id = r.project_id);
