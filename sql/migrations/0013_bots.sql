-- Bots, which are models with a name, a prompt and tools, and what they and people say to
-- one another. A conversation is a session of type chat or bot-to-bot; those that no run
-- began belong to a project, or to all (null).

create table bots (
	id uuid primary key,
	slug text not null constraint bots_slug_key unique
		check (slug ~ '^[a-z0-9][a-z0-9-]{0,63}$'),
	name text not null,
	system_prompt text not null default '',
	model text,
	tools jsonb not null default '[]' check (jsonb_typeof(tools) = 'array'),
	handler_skill text,
	project_id uuid references projects on delete cascade,
	created_by text,
	created_at timestamptz not null default now(),
	updated_at timestamptz not null default now()
);

comment on column bots.model is 'provider:model; null: that of the configuration';
comment on column bots.project_id is 'whose runs may use it; null: those of all';

create index bots_project on bots (project_id) where project_id is not null;

create view v_api_bots as
select b.id, b.slug, b.project_id,
       jsonb_build_object('id', b.id, 'slug', b.slug, 'name', b.name,
	'systemPrompt', b.system_prompt, 'model', b.model, 'tools', b.tools,
	'handlerSkill', b.handler_skill, 'projectId', b.project_id,
	'createdBy', b.created_by, 'createdAt', rfc3339(b.created_at),
	'updatedAt', rfc3339(b.updated_at)) as doc
  from bots b;

-- A session outlives its bots: what was said was said.
alter table agent_sessions
	add column project_id uuid references projects on delete cascade,
	add column chat_key text,
	add constraint agent_sessions_bot_fkey
		foreign key (bot_id) references bots on delete set null,
	add constraint agent_sessions_peer_fkey
		foreign key (peer_bot_id) references bots on delete set null;

comment on column agent_sessions.chat_key is 'who talks there: by it a conversation is found again, or made';

create unique index agent_sessions_chat_key on agent_sessions (chat_key)
	where chat_key is not null;
create index agent_sessions_bot on agent_sessions (bot_id) where bot_id is not null;
create index agent_sessions_peer on agent_sessions (peer_bot_id)
	where peer_bot_id is not null;
create index agent_sessions_project on agent_sessions (project_id)
	where project_id is not null;

-- Bots are named by their slugs, which never change, so that names stay when bots go.
create table chat_messages (
	id uuid primary key,
	seq bigint generated always as identity,
	session_id uuid not null references agent_sessions on delete cascade,
	from_bot text,
	to_bot text,
	channel text,
	author text not null,
	type text not null check (type in ('message', 'reply')),
	body text not null,
	at timestamptz not null default now(),
	check (to_bot is null or channel is null)
);

comment on column chat_messages.author is 'the bot''s slug, or the name of who sent it over the API';

create index chat_messages_session on chat_messages (session_id, seq);

create view v_api_messages as
select m.session_id, m.seq, m.id,
       jsonb_build_object('id', m.id, 'sessionId', m.session_id, 'fromBot', m.from_bot,
	'toBot', m.to_bot, 'channel', m.channel, 'author', m.author, 'type', m.type,
	'body', m.body, 'at', rfc3339(m.at)) as doc
  from chat_messages m;
