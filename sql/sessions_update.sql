-- A session goes on or ends: its usage so far, whoever holds the step by now, for what
-- was used was used. The event is told only if this attempt still holds it. After
-- runs_lock.sql in the same transaction.
-- $1 run uuid   $2 step number int   $3 fence int   $4 id uuid   $5 status text
-- $6 usage jsonb   $7 model text   $8 what it does now text   $9 tell bool
-- Of a command-line agent, each null where it is not known (yet): $10 its own id of the
-- session text   $11 its session file, in the project text   $12 exit code int
-- Answer: still held; the number of the event, null when none was told; tokens and
-- millionths of a dollar that the other sessions of the run have used, and those of this
-- step.
with held as materialized (
	select r.last_seq from workflow_run_state r
	 where r.execution_id = $1 and exists (
		select from workflow_steps
		 where execution_id = $1 and step_number = $2 and fence = $3
		   and status + 0 = 2)
), used as materialized (
	select step_number, coalesce((usage ->> 'inputTokens')::int8, 0)
		+ coalesce((usage ->> 'outputTokens')::int8, 0) as tokens,
	       coalesce((usage ->> 'costUsd')::numeric, 0) * 1000000 as cost
	  from agent_sessions where execution_id = $1 and id <> $4
), session as (
	update agent_sessions
	   set status = $5, usage = $6, model = $7, updated_at = now(),
	       external_session_id = coalesce($10, external_session_id),
	       session_file_path = coalesce($11, session_file_path),
	       exit_code = coalesce($12, exit_code)
	 where id = $4 and status = 'running'
	returning session_type, agent
), log as (
	insert into workflow_events (execution_id, seq, step_number, type, payload)
	select $1, h.last_seq + 1, $2, 14, jsonb_build_object('sessionId', $4::uuid,
		'sessionType', s.session_type, 'agent', s.agent, 'model', $7::text,
		'status', $5::text, 'usage', $6::jsonb)
		|| case when $8::text is null then '{}'
			else jsonb_build_object('activity', $8::text) end
	  from session s cross join held h where $9
), state as (
	update workflow_run_state set last_seq = last_seq + 1
	 where execution_id = $1 and $9 and exists (select from session)
	   and exists (select from held)
	returning last_seq
)
select exists (select from held), (select last_seq from state),
       (select coalesce(sum(tokens), 0)::int8 from used),
       (select coalesce(sum(cost), 0)::int8 from used),
       (select coalesce(sum(tokens), 0)::int8 from used where step_number = $2),
       (select coalesce(sum(cost), 0)::int8 from used where step_number = $2);
