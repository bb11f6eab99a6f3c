-- A bot of a run says something in a channel of the run's project, if the attempt still
-- holds its step; the first message makes the channel. After runs_lock.sql in the same
-- transaction.
-- $1 run uuid   $2 step number int   $3 fence int   $4 id uuid   $5 from slug text
-- $6 channel text   $7 body text
-- Answer: still held; whether there is a sender.
with held as materialized (
	select w.project_id
	  from workflow_run_state r join workflow_runs w on w.id = r.execution_id
	 where r.execution_id = $1 and exists (
		select from workflow_steps
		 where execution_id = $1 and step_number = $2 and fence = $3
		   and status + 0 = 2)
), sender as materialized (
	select b.id from bots b cross join held h
	 where b.slug = $5 and (b.project_id is null or b.project_id = h.project_id)
), session as (
	insert into agent_sessions (id, name, session_type, chat_key, status, project_id)
	select uuid7(), $6, 'chat', 'channel:' || h.project_id || ':' || $6, 'completed',
	       h.project_id
	  from held h cross join sender
	on conflict (chat_key) where chat_key is not null do update set updated_at = now()
	returning id
), message as (
	insert into chat_messages (id, session_id, from_bot, channel, author, type, body)
	select $4, s.id, $5, $6, $5, 'message', $7 from session s
	on conflict (id) do nothing
)
select exists (select from held), exists (select from sender);
