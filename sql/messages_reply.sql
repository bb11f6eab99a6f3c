-- What a bot answers in a conversation of a run, if the attempt that waits for it still
-- holds its step. After runs_lock.sql in the same transaction.
-- $1 run uuid   $2 step number int   $3 fence int   $4 id uuid   $5 session uuid
-- $6 from slug text   $7 to slug text   $8 body text
-- Answer: still held.
with held as materialized (
	select from workflow_run_state r
	 where r.execution_id = $1 and exists (
		select from workflow_steps
		 where execution_id = $1 and step_number = $2 and fence = $3
		   and status + 0 = 2)
), session as (
	update agent_sessions set status = 'completed', updated_at = now()
	 where id = $5 and exists (select from held)
	returning id
), message as (
	insert into chat_messages (id, session_id, from_bot, to_bot, author, type, body)
	select $4, s.id, $6, $7, $6, 'reply', $8 from session s
	on conflict (id) do nothing
)
select exists (select from held);
