-- Somebody says something in a channel, over the API: a person, or a bot of that project,
-- or of none. The first message makes the channel.
-- $1 id uuid   $2 channel text   $3 from slug text (null: a person)   $4 who sends it text
-- $5 body text   $6 project uuid (null: "default")
-- Answer: whether there is a sender.
with project as materialized (
	select id from projects
	 where case when $6::uuid is null then name = 'default' else id = $6 end
), sender as materialized (
	select b.id from bots b cross join project p
	 where b.slug = $3 and (b.project_id is null or b.project_id = p.id)
), session as (
	insert into agent_sessions (id, name, session_type, chat_key, status, project_id)
	select uuid7(), $2, 'chat', 'channel:' || p.id || ':' || $2, 'completed', p.id
	  from project p where $3 is null or exists (select from sender)
	on conflict (chat_key) where chat_key is not null do update set updated_at = now()
	returning id
), message as (
	insert into chat_messages (id, session_id, from_bot, channel, author, type, body)
	select $1, s.id, $3, $2, $4, 'message', $5 from session s
)
select $3 is null or exists (select from sender);
