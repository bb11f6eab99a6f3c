-- A bot that is to be changed, by its id or slug; nobody else changes it meanwhile. No row:
-- there is none.
-- $1 id or slug text   $2 project uuid: of no other one, but of none (null: any)
-- Answer: it as JSON; its id; whether a key of that project may change it.
select jsonb_build_object('name', name, 'systemPrompt', system_prompt, 'model', model,
	'tools', tools, 'handlerSkill', handler_skill)::text, id,
       $2::uuid is null or project_id is not null
  from bots
 where (id::text = $1 or slug = $1)
   and ($2::uuid is null or project_id is null or project_id = $2)
   for update;
