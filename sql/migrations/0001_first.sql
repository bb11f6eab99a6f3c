-- The tables of one workflow end to end. Statuses and event types are the numbers of
-- common/engine/status.h; people read them through the views at the end. How the hot
-- tables are to be used (lock order, plan rules) stands in sql/README.md.
--
-- Steps and events have no foreign keys (12 microseconds a step): statement triggers take
-- them along with their run. Comments and artifacts have real ones, to the run and to the
-- pair that names a step.

create sequence run_numbers;

-- ---- what never changes: functions over values ----

-- The lowest id that can have been made at this moment: the bound of a partition.
create function uuid_at(at timestamptz) returns uuid
language sql immutable strict parallel safe
return (lpad(to_hex((extract(epoch from at) * 1000)::bigint), 12, '0')
	|| repeat('0', 20))::uuid;

-- A new UUIDv7, for rows that only the database itself makes.
create function uuid7() returns uuid
language sql volatile parallel safe
return overlay(replace(gen_random_uuid()::text, '-', '') placing
	lpad(to_hex((extract(epoch from clock_timestamp()) * 1000)::bigint), 12, '0') || '7'
	from 1 for 13)::uuid;

create function run_status_name(status smallint) returns text
language sql immutable strict parallel safe
return (array['pending', 'running', 'paused', 'completed', 'failed', 'cancelled',
	'timed_out', 'crashed'])[status + 1];

create function step_status_name(status smallint) returns text
language sql immutable strict parallel safe
return (array['pending', 'queued', 'running', 'retrying', 'waiting_approval', 'waiting',
	'completed', 'failed', 'skipped', 'cancelled'])[status + 1];

create function event_type_name(type smallint) returns text
language sql immutable strict parallel safe
return (array['run.started', 'step.started', 'step.completed', 'step.failed',
	'step.waiting', 'step.skipped', 'step.cancelled', 'approval.requested',
	'approval.decided', 'run.paused', 'run.resumed', 'run.recovered', 'comment.added',
	'agent.updated', 'artifact.created', 'run.completed', 'run.failed', 'run.cancelled',
	'run.timed_out', 'run.crashed'])[type];

create function priority_name(priority smallint) returns text
language sql immutable strict parallel safe
return (array['high', 'normal', 'low'])[priority + 1];

-- What names a step where one text is wanted; also the key that every attempt hands to
-- the outside (idempotency_key).
create function step_id(execution_id uuid, step_number int) returns text
language sql immutable strict parallel safe
return execution_id::text || ':' || step_number::text;

-- ---- projects and workflows ----

create table projects (
	id uuid primary key,
	name text not null unique check (length(name) between 1 and 200),
	path text not null default '',
	default_branch text not null default 'main',
	created_at timestamptz not null default now(),
	updated_at timestamptz not null default now()
);

create table workflows (
	id uuid primary key,
	name text not null check (length(name) between 1 and 100),
	description text not null default '',
	definition_path text not null default '',
	project_id uuid references projects on delete cascade,
	created_at timestamptz not null default now(),
	updated_at timestamptz not null default now(),
	constraint workflows_name_key unique nulls not distinct (name, project_id)
);

create index workflows_project on workflows (project_id) where project_id is not null;

create table workflow_definitions (
	id uuid primary key,
	workflow_id uuid not null references workflows on delete cascade,
	bot_id uuid,
	name text not null,
	description text not null default '',
	version int not null check (version > 0),
	file_path text not null default '',
	source text not null,
	config jsonb not null,
	checksum text not null,
	project_id uuid references projects on delete cascade,
	is_active bool not null default true,
	created_at timestamptz not null default now(),
	updated_at timestamptz not null default now(),
	constraint workflow_definitions_version_key
		unique nulls not distinct (name, version, project_id)
);

create index workflow_definitions_active on workflow_definitions (name, is_active);
create index workflow_definitions_workflow on workflow_definitions (workflow_id, version);
create index workflow_definitions_project on workflow_definitions (project_id)
	where project_id is not null;

-- ---- runs ----

-- Everything about a run that changes seldom: at its start, its end, and when a person
-- or a tool says something. What changes with each step is in workflow_run_state.
create table workflow_runs (
	id uuid not null,
	run_number bigint not null default nextval('run_numbers'),
	workflow_def_id uuid not null,
	project_id uuid not null,
	status smallint not null check (status between 0 and 7),
	priority smallint not null default 1 check (priority between 0 and 2),
	triggered_by text not null check (triggered_by in ('manual', 'cron', 'heartbeat',
		'webhook', 'event', 'file_watch', 'workflow', 'retry', 'test')),
	requested_by text,
	schedule_id uuid,
	trigger_payload jsonb,
	current_step int,
	input jsonb,
	output jsonb,
	state jsonb not null default '{}',
	error jsonb,
	timeout interval,
	step_count int not null default 1,
	concurrency_key text,
	concurrency_limit int,
	crash_on_interrupt bool not null default false,
	idempotency_key text,
	parent_run_id uuid,
	parent_step int,
	depth smallint not null default 0,
	retry_of_run_id uuid,
	branch_name text,
	commit_sha text,
	pr_url text,
	trace_id text,
	run_at timestamptz,
	started_at timestamptz,
	paused_at timestamptz,
	completed_at timestamptz,
	created_at timestamptz not null default now(),
	updated_at timestamptz not null default now(),
	constraint workflow_runs_over check ((status >= 3) = (completed_at is not null))
) with (fillfactor = 85, autovacuum_vacuum_scale_factor = 0.05,
	autovacuum_analyze_scale_factor = 0.05);

alter sequence run_numbers owned by workflow_runs.run_number;

create unique index workflow_runs_number on workflow_runs (run_number);
create index workflow_runs_definition on workflow_runs (workflow_def_id, id);
create index workflow_runs_project on workflow_runs (project_id, id);
create index workflow_runs_branch on workflow_runs (branch_name)
	where branch_name is not null;
create unique index workflow_runs_idempotency on workflow_runs (project_id, idempotency_key)
	where idempotency_key is not null;
create index workflow_runs_parent on workflow_runs (parent_run_id, parent_step)
	where parent_run_id is not null;
create index workflow_runs_children on workflow_runs (id)
	where parent_run_id is not null and status < 3;
create index workflow_runs_concurrency on workflow_runs (concurrency_key, status, id)
	where concurrency_key is not null and status < 3;
-- The key comes last: of indexes that seem to cost the same (on a table believed empty)
-- the planner takes the youngest, and the key is the right one for any id.
alter table workflow_runs add primary key (id);

-- One narrow row per run, true at every commit; it is the row that is locked by whoever
-- changes a run. deadline_at is empty while the run's time stands still (it is paused,
-- or only waits); budget_left then says how much is left.
create table workflow_run_state (
	execution_id uuid not null,
	status smallint not null,
	last_seq bigint not null default 0,
	current_step int,
	current_attempt smallint,
	current_fence int,
	worker_id uuid,
	started_at timestamptz,
	deadline_at timestamptz,
	budget_left interval,
	paused_by smallint not null default 0
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.01,
	autovacuum_vacuum_threshold = 2000, autovacuum_analyze_scale_factor = 0.02,
	autovacuum_vacuum_cost_delay = 1);

-- No index on a column that changes per step, not even in a predicate.
create index workflow_run_state_open on workflow_run_state (deadline_at) where status < 3;
create index workflow_run_state_failed on workflow_run_state (execution_id)
	where status in (4, 6, 7);
alter table workflow_run_state add primary key (execution_id);

-- ---- steps ----

create table workflow_steps (
	execution_id uuid not null,
	step_number int not null,
	status smallint not null,
	priority smallint not null default 1,
	attempt_number smallint not null default 1,
	max_attempts smallint not null default 3,
	losses smallint not null default 0,
	deaths smallint not null default 0,
	fence int not null default 0,
	claim_number int,
	remaining_needs int not null default 0,
	parent_step int,
	item_index int,
	iteration int not null default 0,
	phase smallint not null default 0,
	started_logged bool not null default false,
	created_at timestamptz not null default now(),
	ready_at timestamptz,
	run_at timestamptz,
	started_at timestamptz,
	completed_at timestamptz,
	worker_id uuid,
	step_key text not null,
	queue text not null default 'default',
	input jsonb,
	output jsonb,
	error jsonb,
	item jsonb,
	last_death jsonb,
	-- One, because PostgreSQL reads the text of each anew with every statement.
	constraint workflow_steps_shape check ((status = 2) = (worker_id is not null)
		and (status >= 6) = (completed_at is not null)
		and (status <> 1 or ready_at is not null)
		and (status <> 3 or run_at is not null))
) partition by range (execution_id);

comment on column workflow_steps.losses is 'attempts that ended with the death of a worker';
comment on column workflow_steps.deaths is 'workers that died while they ran this step alone';
comment on column workflow_steps.last_death is 'how the last worker ended that it killed, or is suspected to have killed; with it the step is run alone';
comment on column workflow_steps.claim_number is 'which claim of its worker took it: to find what came of one whose answer was lost';
comment on column workflow_steps.phase is 'with what it comes back after it waited: 1 its gate, 2 its action, 3 its children; of the row -1: 1 a step led to the end, 2 one failed';
comment on column workflow_steps.iteration is 'of repeatUntil: how many were before; of a loop: so far; of a conditional: 1 then, 2 else';
comment on column workflow_steps.item is 'of a child of foreach; no other row has one';
comment on column workflow_steps.started_logged is 'step.started of this attempt is in the log';

create index workflow_steps_ready on workflow_steps (queue, priority, ready_at)
	where status = 1;
-- Of steps that are to be run alone: hardly ever one.
create index workflow_steps_alone on workflow_steps (queue, ready_at)
	where status = 1 and last_death is not null;
create index workflow_steps_held on workflow_steps (worker_id) where status = 2;
create index workflow_steps_delayed on workflow_steps (run_at) where status in (3, 4, 5);
create index workflow_steps_trouble on workflow_steps (step_key, status)
	where status in (4, 5, 7);
alter table workflow_steps add primary key (execution_id, step_number);

-- ---- events ----

create table workflow_events (
	execution_id uuid not null,
	seq bigint not null,
	step_number int,
	type smallint not null,
	at timestamptz not null default now(),
	payload jsonb,
	primary key (execution_id, seq)
) partition by range (execution_id);

-- ---- partitions: by month of the run's id ----

create table workflow_steps_other partition of workflow_steps default
	with (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.01,
		autovacuum_vacuum_threshold = 2000, autovacuum_analyze_scale_factor = 0.02,
		autovacuum_vacuum_cost_delay = 1);
create table workflow_events_other partition of workflow_events default;

-- Makes one partition and attaches it, which is gentler to the others than "create table
-- .. partition of". A month of which the default partition already holds runs stays there.
create function partition_make(parent text, at_month timestamp, settings text) returns int
language plpgsql as $$
declare
	name text := parent || to_char(at_month, '_YYYY_MM');
	low uuid := stepmill.uuid_at(at_month at time zone 'UTC');
	high uuid := stepmill.uuid_at((at_month + interval '1 month') at time zone 'UTC');
	taken bool;
begin
	if to_regclass('stepmill.' || name) is not null then
		return 0;
	end if;
	execute format('select exists (select from stepmill.%I where execution_id >= %L'
		' and execution_id < %L)', parent || '_other', low, high) into taken;
	if taken then
		return 0;
	end if;
	execute format('create table stepmill.%I (like stepmill.%I including defaults'
		' including constraints including storage)%s', name, parent, settings);
	execute format('alter table stepmill.%I attach partition stepmill.%I'
		' for values from (%L) to (%L)', parent, name, low, high);
	return 1;
end
$$;

-- Makes what is missing for the month of that moment and the next one; answers how many.
-- Attaching waits for who uses the default partition, and others queue behind: not long.
create function partitions_ensure(at timestamptz) returns int
language plpgsql set lock_timeout = '2s' as $$
declare
	this_month timestamp := date_trunc('month', at at time zone 'UTC');
	settings text := ' with (autovacuum_vacuum_scale_factor = 0.01,'
		' autovacuum_vacuum_threshold = 2000, autovacuum_analyze_scale_factor = 0.02,'
		' autovacuum_vacuum_cost_delay = 1, fillfactor = 60)';
	made int := 0;
begin
	perform pg_advisory_xact_lock(7366530, 2);
	for ahead in 0..1 loop
		made := made
			+ stepmill.partition_make('workflow_steps',
				this_month + ahead * interval '1 month', settings)
			+ stepmill.partition_make('workflow_events',
				this_month + ahead * interval '1 month', '');
	end loop;
	return made;
end
$$;

-- ---- what people and tools add to a run ----

create table workflow_comments (
	id uuid primary key,
	execution_id uuid not null references workflow_runs on delete cascade,
	step_number int,
	author text not null,
	message text not null,
	metadata jsonb,
	created_at timestamptz not null default now(),
	foreign key (execution_id, step_number) references workflow_steps on delete cascade
);

create index workflow_comments_run on workflow_comments (execution_id, created_at);
create index workflow_comments_step
	on workflow_comments (execution_id, step_number, created_at)
	where step_number is not null;

create table workflow_artifacts (
	id uuid primary key,
	execution_id uuid not null references workflow_runs on delete cascade,
	step_number int,
	agent_session_id uuid,
	name text not null,
	type text not null check (type in ('SCREENSHOT', 'LOG_FILE', 'SESSION_FILE',
		'TEST_REPORT', 'BUILD_OUTPUT', 'DOCUMENT', 'OTHER')),
	storage_path text not null,
	storage_type text not null default 'FILESYSTEM',
	mime_type text,
	size_bytes bigint not null check (size_bytes >= 0),
	sha256 text,
	metadata jsonb,
	created_at timestamptz not null default now(),
	foreign key (execution_id, step_number) references workflow_steps on delete cascade
);

create index workflow_artifacts_run on workflow_artifacts (execution_id, type);
create index workflow_artifacts_step on workflow_artifacts (execution_id, step_number)
	where step_number is not null;
create index workflow_artifacts_session on workflow_artifacts (agent_session_id)
	where agent_session_id is not null;

-- ---- what people decide ----

create table workflow_approvals (
	id uuid primary key,
	execution_id uuid not null references workflow_runs on delete cascade,
	step_number int not null,
	prompt text not null,
	args jsonb,
	status smallint not null default 0 check (status between 0 and 4),
	on_timeout smallint not null default 0 check (on_timeout between 0 and 2),
	decided_by text,
	comment text,
	decided_at timestamptz,
	expires_at timestamptz,
	created_at timestamptz not null default now(),
	updated_at timestamptz not null default now(),
	foreign key (execution_id, step_number) references workflow_steps on delete cascade
);

-- One pending per step; and by this a run's pending ones are found.
create unique index workflow_approvals_pending
	on workflow_approvals (execution_id, step_number) where status = 0;
create index workflow_approvals_open on workflow_approvals (id) where status = 0;
create index workflow_approvals_step on workflow_approvals (execution_id, step_number, id);

create function approval_status_name(status smallint) returns text
language sql immutable strict parallel safe
return (array['pending', 'approved', 'denied', 'expired', 'void'])[status + 1];

-- ---- what happens outside ----

-- Events that were told over the API. They are kept for a while, for a run may wait for one
-- that came since it started.
create table bus_events (
	id uuid primary key,
	project_id uuid references projects on delete cascade,
	source text not null,
	type text not null,
	data jsonb,
	at timestamptz not null default now(),
	created_at timestamptz not null default now()
);

create index bus_events_type on bus_events (type, at);

-- Steps that wait for one. checked_at: what came before has been looked at.
create table event_waits (
	execution_id uuid not null,
	step_number int not null,
	type text not null,
	checked_at timestamptz not null,
	created_at timestamptz not null default now(),
	primary key (execution_id, step_number),
	foreign key (execution_id, step_number) references workflow_steps on delete cascade
);

create index event_waits_type on event_waits (type);

-- ---- how many at once ----

-- Whoever admits runs of a key locks its row first.
create table concurrency_keys (
	key text primary key,
	created_at timestamptz not null default now()
);

-- ---- hosts and processes ----

create table nodes (
	id uuid primary key,
	host text not null,
	pid int not null,
	version text not null,
	status text not null,
	desired_workers int not null default 0,
	running_workers int not null default 0,
	started_at timestamptz not null default now(),
	last_seen_at timestamptz not null default now(),
	created_at timestamptz not null default now()
);

-- status: 1 alive, 2 declared dead, 3 left in good order. Only under 1 anything of this
-- worker can be committed. The lease is the one lease of all the steps it holds. session
-- is the connection that speaks for it: what an older one still has in its pipe when a
-- newer one took over is refused.
create table workers (
	id uuid primary key,
	node_id uuid not null,
	status smallint not null default 1 check (status between 1 and 3),
	pid int not null,
	slots int not null,
	used int not null default 0,
	queues text[] not null,
	version text not null,
	session bigint,
	started_at timestamptz not null default now(),
	last_seen_at timestamptz not null default now(),
	lease_expires_at timestamptz not null,
	ended_at timestamptz,
	created_at timestamptz not null default now()
) with (fillfactor = 50);

create index workers_alive on workers (id) where status = 1;
create index workers_ended on workers (ended_at) where ended_at is not null;

-- ---- keys, answers already given, who did what ----

create table api_keys (
	id uuid primary key,
	name text not null unique,
	key_hash bytea not null unique,
	role text not null check (role in ('viewer', 'operator', 'admin')),
	project_id uuid references projects on delete cascade,
	tools text[],
	expires_at timestamptz,
	revoked_at timestamptz,
	created_at timestamptz not null default now(),
	updated_at timestamptz not null default now()
);

create table idempotency_keys (
	who text not null,
	key text not null,
	body_hash bytea not null,
	answer jsonb,
	expires_at timestamptz not null,
	created_at timestamptz not null default now(),
	updated_at timestamptz not null default now(),
	primary key (who, key)
);

create index idempotency_keys_expiry on idempotency_keys (expires_at);

create table audit_log (
	id uuid primary key,
	who text not null,
	what text not null,
	target text not null,
	ip inet,
	details jsonb,
	at timestamptz not null default now(),
	created_at timestamptz not null default now()
);

create index audit_log_target on audit_log (target, id);

-- ---- what goes with what, where no foreign key says so ----

create function on_runs_deleted() returns trigger
language plpgsql as $$
begin
	delete from stepmill.workflow_run_state r using gone where r.execution_id = gone.id;
	delete from stepmill.workflow_steps s using gone where s.execution_id = gone.id;
	delete from stepmill.workflow_events e using gone where e.execution_id = gone.id;
	return null;
end
$$;

create trigger runs_deleted after delete on workflow_runs
	referencing old table as gone for each statement execute function on_runs_deleted();

create function on_steps_deleted() returns trigger
language plpgsql as $$
begin
	update stepmill.workflow_run_state r
	   set current_step = null, current_attempt = null, current_fence = null,
	       worker_id = null, started_at = null
	  from gone
	 where r.execution_id = gone.execution_id and r.current_step = gone.step_number;
	update stepmill.workflow_runs r set current_step = null
	  from gone
	 where r.id = gone.execution_id and r.current_step = gone.step_number;
	return null;
end
$$;

create trigger steps_deleted after delete on workflow_steps
	referencing old table as gone for each statement execute function on_steps_deleted();

-- Runs are inserted under a key-share lock of their definition and project, taken once
-- per batch instead of once per row as a foreign key would; so what is asked here is
-- asked when no such insert can be under way.
create function on_definitions_deleted() returns trigger
language plpgsql as $$
begin
	if exists (select from gone where exists (select from stepmill.workflow_runs r
			where r.workflow_def_id = gone.id)) then
		raise foreign_key_violation using
			constraint = 'workflow_runs_definition',
			message = 'the workflow still has runs';
	end if;
	return null;
end
$$;

create trigger definitions_deleted after delete on workflow_definitions
	referencing old table as gone for each statement
	execute function on_definitions_deleted();

-- A project's runs go first, then (by foreign keys) workflows and definitions.
create function before_project_deleted() returns trigger
language plpgsql as $$
begin
	if old.name = 'default' then
		raise restrict_violation using
			constraint = 'projects_default',
			message = 'the project "default" cannot be deleted';
	end if;
	delete from stepmill.workflow_runs where project_id = old.id;
	return old;
end
$$;

create trigger project_deleted before delete on projects
	for each row execute function before_project_deleted();

-- ---- the data model's names ----

create view v_runs as
select r.id, d.name || '-' || r.run_number as run_id, r.run_number,
       r.workflow_def_id, d.workflow_id, d.name as workflow_name, d.version,
       r.project_id, run_status_name(r.status) as status, r.status as status_code,
       r.triggered_by, r.requested_by, r.schedule_id, r.trigger_payload,
       step_id(r.id, s.current_step) as current_workflow_step_id, s.current_step,
       r.input, r.output, r.state, r.error,
       priority_name(r.priority) as priority, r.timeout, r.step_count,
       r.concurrency_key, r.idempotency_key, r.parent_run_id,
       step_id(r.parent_run_id, r.parent_step) as parent_step_id, r.retry_of_run_id,
       r.branch_name, r.commit_sha, r.pr_url,
       '.agent/workflows/executions/' || r.id || '/logs/execution.log' as log_file_path,
       r.trace_id, s.last_seq, r.run_at, r.started_at, r.paused_at, r.completed_at,
       (extract(epoch from r.completed_at - r.started_at) * 1000)::bigint as duration_ms,
       r.created_at, r.updated_at
  from workflow_runs r
  join workflow_run_state s on s.execution_id = r.id
  join workflow_definitions d on d.id = r.workflow_def_id;

create view v_steps as
select step_id(s.execution_id, s.step_number) as id, s.execution_id, s.step_number,
       s.step_key, f.name, f.action,
       step_status_name(s.status) as status, s.status as status_code,
       s.attempt_number, s.max_attempts, s.losses, s.deaths, s.fence,
       s.queue, priority_name(s.priority) as priority, s.ready_at, s.run_at,
       case when s.parent_step > 0 then step_id(s.execution_id, s.parent_step) end
         as parent_step_id, s.item_index, s.iteration,
       s.remaining_needs, s.input, s.output, s.error, s.worker_id,
       step_id(s.execution_id, s.step_number) as idempotency_key,
       '.agent/workflows/executions/' || s.execution_id || '/logs/step-' || s.step_number
         || '-' || left(regexp_replace(f.name, '[^A-Za-z0-9._-]', '-', 'g'), 80)
         || '.log' as log_file_path,
       s.started_at, s.completed_at,
       (extract(epoch from s.completed_at - s.started_at) * 1000)::bigint as duration_ms,
       s.created_at,
       greatest(s.created_at, s.ready_at, s.started_at, s.completed_at) as updated_at
  from workflow_steps s
  join workflow_runs r on r.id = s.execution_id
  join workflow_definitions d on d.id = r.workflow_def_id
  cross join lateral (
	select coalesce(x ->> 'name', s.step_key) as name, x ->> 'action' as action
	  from (select jsonb_path_query_first(d.config, '$.steps[*] ? (@.id == $key)',
			jsonb_build_object('key', s.step_key)) as x offset 0) found) f
 where s.step_number > 0;

create view v_events as
select execution_id, seq, step_id(execution_id, step_number) as step_id, step_number,
       event_type_name(type) as type, type as type_code, payload, at
  from workflow_events;

-- ---- what is there from the beginning ----

insert into projects (id, name) values ('00000000-0000-7000-8000-000000000001', 'default');
select partitions_ensure(now());
