-- Sessions of command-line agents are found again by their name, or by the agent's own id.

create index agent_sessions_cli_name on agent_sessions (name, created_at)
	where session_type = 'cli';
create index agent_sessions_external on agent_sessions (external_session_id, created_at)
	where external_session_id is not null;
