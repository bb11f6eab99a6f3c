-- A bot of a run says something to another one, if the attempt still holds its step. After
-- runs_lock.sql in the same transaction. Two bots have one conversation in a run; the id is
-- made from the step, so an attempt that repeats a lost one says nothing twice.
-- $1 run uuid   $2 step number int   $3 fence int   $4 id uuid   $5 id of the reply uuid
-- $6 from slug text   $7 to slug text   $8 body text   $9 a reply is wanted bool
-- $10 messages of a conversation at most int   $11 runs of a chain at most int
-- Answer: still held; whether there is a sender, and a receiver; how deep the run stands;
-- how many messages there were; the session, null: nothing was said; the reply, where there
-- is one already; the sender's id; the receiver's id, prompt, model, tools and skill; what was
-- said before, [{from, body}].
with held as materialized (
	select w.project_id, w.depth
	  from workflow_run_state r join workflow_runs w on w.id = r.execution_id
	 where r.execution_id = $1 and exists (
		select from workflow_steps
		 where execution_id = $1 and step_number = $2 and fence = $3
		   and status + 0 = 2)
), sender as materialized (
	select b.id from bots b cross join held h
	 where b.slug = $6 and (b.project_id is null or b.project_id = h.project_id)
), receiver as materialized (
	select b.id, b.system_prompt, b.model, b.tools, b.handler_skill from bots b cross join held h
	 where b.slug = $7 and (b.project_id is null or b.project_id = h.project_id)
), talk as materialized (
	select 'run:' || $1::uuid || ':' || least(a.id, b.id) || ':' || greatest(a.id, b.id)
		as chat_key
	  from sender a cross join receiver b
), former as materialized (
	select m.id, m.seq, m.from_bot, m.body
	  from talk t
	  join agent_sessions s on s.chat_key = t.chat_key
	  join chat_messages m on m.session_id = s.id
), session as (
	insert into agent_sessions (id, execution_id, step_number, fence, name, session_type,
		bot_id, peer_bot_id, chat_key, status)
	select uuid7(), $1, $2, $3, $6 || ' and ' || $7, 'bot-to-bot', a.id, b.id, t.chat_key,
	       case when $9::bool and not exists (select from former where id = $5)
		then 'running' else 'completed' end
	  from held h cross join sender a cross join receiver b cross join talk t
	 where (not $9::bool or h.depth < $11::int)
	   and ((select count(*) from former) < $10::int
		or exists (select from former where id = $4))
	on conflict (chat_key) where chat_key is not null
	do update set step_number = excluded.step_number, fence = excluded.fence,
		status = excluded.status, updated_at = now()
	returning id
), message as (
	insert into chat_messages (id, session_id, from_bot, to_bot, author, type, body)
	select $4, s.id, $6, $7, $6, 'message', $8 from session s
	on conflict (id) do nothing
)
select exists (select from held), exists (select from sender),
       exists (select from receiver), (select depth from held),
       (select count(*) from former where id not in ($4, $5)), (select id from session),
       (select body from former where id = $5), (select id from sender),
       (select id from receiver), (select system_prompt from receiver),
       (select model from receiver), (select tools from receiver),
       (select handler_skill from receiver),
       (select coalesce(jsonb_agg(jsonb_build_object('from', from_bot, 'body', body)
		order by seq), '[]')
	  from former where id not in ($4, $5));
