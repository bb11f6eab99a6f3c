-- Somebody says something to a bot, over the API: a person, or a bot of the same project,
-- or of none. Who talks to a bot has one conversation with it, which the first message makes.
-- $1 id uuid   $2 to, id or slug text   $3 from slug text (null: a person)
-- $4 who sends it text   $5 body text
-- $6 project uuid: of bots of no other one, but of none (null: any)
-- Answer: whether there is a receiver, and a sender.
with receiver as materialized (
	select id, slug, coalesce(project_id, $6) as project_id from bots
	 where (id::text = $2 or slug = $2)
	   and ($6::uuid is null or project_id is null or project_id = $6)
), sender as materialized (
	select b.id, b.slug from bots b cross join receiver r
	 where b.slug = $3 and b.id <> r.id
	   and (b.project_id is null or r.project_id is null or b.project_id = r.project_id)
	   and ($6::uuid is null or b.project_id is null or b.project_id = $6)
), session as (
	insert into agent_sessions (id, name, session_type, bot_id, peer_bot_id, chat_key,
		status, project_id)
	select uuid7(), case when $3 is null then r.slug else s.slug || ' and ' || r.slug end,
	       case when $3 is null then 'chat' else 'bot-to-bot' end,
	       case when $3 is null then r.id else s.id end,
	       case when $3 is not null then r.id end,
	       case when $3 is null
		then 'person:' || r.id || ':' || coalesce(r.project_id::text, '') || ':' || $4
		else 'bots:' || coalesce(r.project_id::text, '') || ':' || least(r.id, s.id)
			|| ':' || greatest(r.id, s.id) end,
	       'completed', r.project_id
	  from receiver r left join sender s on true
	 where $3 is null or s.id is not null
	on conflict (chat_key) where chat_key is not null do update set updated_at = now()
	returning id
), message as (
	insert into chat_messages (id, session_id, from_bot, to_bot, author, type, body)
	select $1, s.id, $3, r.slug, $4, 'message', $5 from session s cross join receiver r
)
select exists (select from receiver), $3 is null or exists (select from sender);
