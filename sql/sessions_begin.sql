-- A session of a step begins, with its event, if the attempt still holds its step. After
-- runs_lock.sql in the same transaction. An attempt that asks again finds its session.
-- $1 run uuid   $2 step number int   $3 fence int   $4 id uuid   $5 name text
-- $6 type text   $7 agent text   $8 model text   $9 bot uuid   $10 who it talks with uuid
-- Answer: still held; the number of the event, null when it was there already; tokens
-- and millionths of a dollar that the run has used, and that this step has; how the
-- attempt before went: its error and its output.
with held as materialized (
	select r.last_seq, s.error, s.output
	  from workflow_run_state r
	  join workflow_steps s on s.execution_id = r.execution_id
	 where r.execution_id = $1 and s.execution_id = $1 and s.step_number = $2
	   and s.fence = $3 and s.status + 0 = 2
), used as materialized (
	select step_number, coalesce((usage ->> 'inputTokens')::int8, 0)
		+ coalesce((usage ->> 'outputTokens')::int8, 0) as tokens,
	       coalesce((usage ->> 'costUsd')::numeric, 0) * 1000000 as cost
	  from agent_sessions where execution_id = $1
), session as (
	insert into agent_sessions (id, execution_id, step_number, fence, name,
		session_type, agent, model, bot_id, peer_bot_id)
	select $4, $1, $2, $3, $5, $6, $7, $8, (select id from bots where id = $9),
	       (select id from bots where id = $10)
	  from held
	on conflict (id) do nothing
	returning id
), log as (
	insert into workflow_events (execution_id, seq, step_number, type, payload)
	select $1, h.last_seq + 1, $2, 14, jsonb_build_object('sessionId', $4::uuid,
		'sessionType', $6::text, 'agent', $7::text, 'model', $8::text,
		'status', 'running', 'usage', '{}'::jsonb)
	  from session cross join held h
), state as (
	update workflow_run_state set last_seq = last_seq + 1
	 where execution_id = $1 and exists (select from session)
	returning last_seq
)
select exists (select from held), (select last_seq from state),
       (select coalesce(sum(tokens), 0)::int8 from used),
       (select coalesce(sum(cost), 0)::int8 from used),
       (select coalesce(sum(tokens), 0)::int8 from used where step_number = $2),
       (select coalesce(sum(cost), 0)::int8 from used where step_number = $2),
       (select error from held), (select output from held);
