-- A bot gets other words, after bots_lock.sql. No row: it is gone.
-- $1 id uuid   $2 name text   $3 system prompt text   $4 model text   $5 tools jsonb
-- $6 handler skill text
update bots
   set name = $2, system_prompt = $3, model = $4, tools = $5, handler_skill = $6,
       updated_at = now()
 where id = $1
returning id;
