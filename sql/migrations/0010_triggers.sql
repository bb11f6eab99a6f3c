-- Events of the engine itself, and files that were seen by those who watch for them.

-- How many runs that events started stand one behind the other before this event.
alter table bus_events add column depth int not null default 0;

-- Of a run: how deep the event was that started it, or the run it is a child of.
create function run_event_depth(run uuid) returns int
language sql stable as $$
	with recursive up as (
		select r.parent_run_id, r.trigger_payload
		  from stepmill.workflow_runs r where r.id = run
		union all
		select r.parent_run_id, r.trigger_payload
		  from up join stepmill.workflow_runs r on r.id = up.parent_run_id)
	select coalesce(max(case when trigger_payload ->> 'type' = 'event'
		then (trigger_payload ->> 'depth')::int end), 0) from up
$$;

-- What happened to a run, where a trigger may want to know. Whoever has pending events
-- before him has the scheduler woken already.
create function tell_of_run(run uuid, what text, more jsonb) returns void
language plpgsql as $$
begin
	if not exists (select from stepmill.bus_events b where b.pending) then
		perform pg_notify('stepmill_events', '');
	end if;
	insert into stepmill.bus_events (id, project_id, source, type, data, pending, depth)
	select stepmill.uuid7(), r.project_id, 'stepmill', what,
	       jsonb_build_object('executionId', r.id, 'runId', d.name || '-' || r.run_number,
		'workflow', d.name, 'status', stepmill.run_status_name(r.status),
		'triggeredBy', r.triggered_by) || more,
	       true, stepmill.run_event_depth(run)
	  from stepmill.workflow_runs r
	  join stepmill.workflow_definitions d on d.id = r.workflow_def_id
	 where r.id = run and r.triggered_by <> 'test';
end
$$;

-- Who ends a run asks one index.
create function on_run_ended() returns trigger
language plpgsql as $$
declare
	what constant text := (array['run.completed', 'run.failed', 'run.cancelled',
		'run.timed_out', 'run.crashed'])[new.status - 2];
begin
	if exists (select from stepmill.workflow_triggers t
		where t.kind = 'event' and t.type = what) then
		perform stepmill.tell_of_run(new.id, what, '{}');
	end if;
	return null;
end
$$;

create trigger run_ended after update of status on workflow_runs
	for each row when (old.status < 3 and new.status >= 3)
	execute function on_run_ended();

create function on_artifact_added() returns trigger
language plpgsql as $$
begin
	if exists (select from stepmill.workflow_triggers t
		where t.kind = 'event' and t.type = 'artifact.created') then
		perform stepmill.tell_of_run(new.execution_id, 'artifact.created',
			jsonb_build_object('artifactId', new.id, 'name', new.name, 'type', new.type,
				'stepNumber', new.step_number));
	end if;
	return null;
end
$$;

create trigger artifact_added after insert on workflow_artifacts
	for each row execute function on_artifact_added();

-- Of a trigger that watches files: since when what it finds is news. Null: what is there
-- has not been noted yet.
alter table workflow_triggers add column watched_since timestamptz;

-- Files as they were when a trigger last saw them: what is so again is no news, also to
-- the next scheduler.
create table watched_files (
	workflow_id uuid not null,
	place int not null,
	path text not null,
	mtime_ns bigint not null,
	size bigint not null,
	inode bigint not null,
	created_at timestamptz not null default now(),
	updated_at timestamptz not null default now(),
	primary key (workflow_id, place, path),
	foreign key (workflow_id, place) references workflow_triggers on delete cascade
);
