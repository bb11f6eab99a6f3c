-- What is kept for a time only is found by when it ended, the oldest first.
create index workflow_runs_completed on workflow_runs (completed_at, id)
	where completed_at is not null;
create index schedule_firings_created on schedule_firings (created_at);

-- Sessions are listed by when they began.
create index agent_sessions_created on agent_sessions (created_at, id);

-- How many workers somebody wishes for on a node, until its supervisor has heard it.
alter table nodes add column wanted_workers int check (wanted_workers >= 0);
