-- What models, and later agents and bots, do: a session is one conversation. A step has
-- one for each attempt; its id is made from the step and the fence of the attempt.

create table agent_sessions (
	id uuid primary key,
	execution_id uuid references workflow_runs on delete cascade,
	step_number int,
	fence int,
	name text not null,
	session_type text not null
		check (session_type in ('cli', 'model', 'chat', 'bot-to-bot')),
	agent text,
	model text,
	session_file_path text,
	external_session_id text,
	bot_id uuid,
	peer_bot_id uuid,
	status text not null default 'running'
		check (status in ('running', 'completed', 'failed', 'stopped')),
	usage jsonb not null default '{}',
	exit_code int,
	created_at timestamptz not null default now(),
	updated_at timestamptz not null default now(),
	check ((execution_id is null) = (step_number is null)),
	foreign key (execution_id, step_number) references workflow_steps on delete cascade
);

comment on column agent_sessions.usage is 'sums: inputTokens, outputTokens, cacheReadTokens, costUsd (where there is a price), rounds';

create index agent_sessions_step on agent_sessions (execution_id, step_number)
	where execution_id is not null;

alter table workflow_artifacts add constraint workflow_artifacts_session_fkey
	foreign key (agent_session_id) references agent_sessions on delete cascade;

-- A session whose attempt holds its step no more has ended, whatever it could not say.
create view v_api_sessions as
select a.execution_id, a.step_number, a.id, a.session_type, a.bot_id, a.created_at,
       jsonb_build_object('id', a.id, 'executionId', a.execution_id,
	'stepId', step_id(a.execution_id, a.step_number), 'stepNumber', a.step_number,
	'name', a.name, 'sessionType', a.session_type, 'agent', a.agent, 'model', a.model,
	'sessionFilePath', a.session_file_path,
	'externalSessionId', a.external_session_id, 'botId', a.bot_id,
	'peerBotId', a.peer_bot_id,
	'status', case when a.status = 'running' and a.fence is not null
			    and not exists (select from workflow_steps s
				where s.execution_id = a.execution_id
				  and s.step_number = a.step_number
				  and s.fence = a.fence and s.status = 2)
		then 'stopped' else a.status end,
	'usage', a.usage, 'exitCode', a.exit_code,
	'createdAt', rfc3339(a.created_at), 'updatedAt', rfc3339(a.updated_at)) as doc
  from agent_sessions a;

-- The sums of a run; null where nothing was used.
create function usage_of_run(run uuid) returns jsonb
language sql stable strict parallel safe
begin atomic
	select case when count(*) > 0 then jsonb_build_object(
		'inputTokens', sum(coalesce((usage ->> 'inputTokens')::bigint, 0)),
		'outputTokens', sum(coalesce((usage ->> 'outputTokens')::bigint, 0)),
		'cacheReadTokens', sum(coalesce((usage ->> 'cacheReadTokens')::bigint, 0)),
		'costUsd', sum((usage ->> 'costUsd')::numeric),
		'rounds', sum(coalesce((usage ->> 'rounds')::bigint, 0))) end
	  from agent_sessions where execution_id = run;
end;
