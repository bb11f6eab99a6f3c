-- A new bot. A slug that exists is an error of the constraint bots_slug_key, a project that
-- does not one of bots_project_id_fkey.
-- $1 id uuid   $2 name text   $3 system prompt text   $4 model text   $5 tools jsonb
-- $6 handler skill text   $7 slug text   $8 project uuid   $9 who made it text
insert into bots (id, name, system_prompt, model, tools, handler_skill, slug, project_id,
	created_by)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9);
