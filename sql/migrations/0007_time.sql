-- What starts runs without a person: schedules with the ledger of their firings, and the
-- other triggers that a workflow declares.

-- due_at is next_run_at and the schedule's jitter; both are empty when it does not fire.
-- revision rises with each change by a person, so that a firing that was decided before
-- that change is refused. The scheduler reads due_at, everybody else next_run_at.
create table schedules (
	id uuid primary key,
	slug text unique check (slug like 'heartbeat-%'),
	name text not null check (length(name) between 1 and 200),
	kind text not null default 'workflow' check (kind in ('workflow', 'heartbeat')),
	project_id uuid not null references projects on delete cascade,
	workflow_id uuid references workflows on delete set null,
	declared_by uuid references workflows on delete cascade,
	declared_place int,
	created_by text,
	tools jsonb,
	cron_expression text not null,
	timezone text not null default 'UTC',
	active_hours_start text,
	active_hours_end text,
	active_hours_days int[],
	max_runs int check (max_runs > 0),
	run_count int not null default 0,
	heartbeat_path text,
	model text,
	webhook text,
	input jsonb,
	enabled bool not null default true,
	catch_up text not null default 'last' check (catch_up in ('none', 'last', 'all')),
	overlap text not null default 'skip' check (overlap in ('skip', 'allow')),
	jitter_ms int not null default 0 check (jitter_ms between 0 and 3600000),
	revision int not null default 1,
	last_run_at timestamptz,
	last_run_id uuid,
	next_run_at timestamptz,
	due_at timestamptz,
	created_at timestamptz not null default now(),
	updated_at timestamptz not null default now(),
	check (enabled or due_at is null),
	check ((next_run_at is null) = (due_at is null)),
	check ((declared_by is null) = (declared_place is null)),
	check ((kind = 'heartbeat') = (slug is not null)),
	check ((kind = 'heartbeat') = (heartbeat_path is not null)),
	check ((active_hours_start is null) = (active_hours_end is null))
);

create index schedules_due on schedules (due_at) where due_at is not null;
create index schedules_project on schedules (project_id);
create index schedules_workflow on schedules (workflow_id) where workflow_id is not null;
create unique index schedules_declared on schedules (declared_by, declared_place)
	where declared_by is not null;
create unique index schedules_heartbeat on schedules (project_id, heartbeat_path)
	where heartbeat_path is not null;

-- The ledger: one row per time that a schedule came due. Runs are deleted without it.
create table schedule_firings (
	schedule_id uuid not null references schedules on delete cascade,
	fire_time timestamptz not null,
	outcome text not null check (outcome in ('started', 'skipped_active_hours',
		'skipped_overlap', 'missed', 'caught_up', 'no_workflow', 'failed')),
	run_id uuid,
	detail text,
	created_at timestamptz not null default now(),
	primary key (schedule_id, fire_time)
);

create table heartbeat_results (
	id uuid primary key,
	schedule_id uuid not null references schedules on delete cascade,
	run_id uuid,
	at timestamptz not null default now(),
	description text not null,
	action_needed bool not null,
	details text not null default '',
	created_at timestamptz not null default now()
);

create index heartbeat_results_at on heartbeat_results (schedule_id, at);

-- The triggers of a workflow's newest version that are no schedules. spec: as in the file.
create table workflow_triggers (
	workflow_id uuid not null references workflows on delete cascade,
	place int not null,
	kind text not null check (kind in ('webhook', 'event', 'file_watch')),
	path text,
	source text,
	type text,
	spec jsonb not null,
	created_at timestamptz not null default now(),
	primary key (workflow_id, place)
);

create unique index workflow_triggers_path on workflow_triggers (path)
	where kind = 'webhook';
create index workflow_triggers_type on workflow_triggers (type) where kind = 'event';

-- Events that a trigger may wait for, until the scheduler has looked at them.
alter table bus_events add column pending bool not null default false;
create index bus_events_pending on bus_events (id) where pending;

create index workflow_runs_schedule on workflow_runs (schedule_id, id)
	where schedule_id is not null;

-- Ends a transaction whose guards did not hold: whoever sent it looks again.
create function refuse_unless(ok bool, why text) returns void
language plpgsql as $$
begin
	if ok is not true then
		raise serialization_failure using message = why;
	end if;
end
$$;
