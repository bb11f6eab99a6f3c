-- Workflows that are written as programs. The row -1 of such a run stands for the program:
-- it is claimed, leased and lost like any step. What the program asked for are rows of
-- their own with `made`: those that the program or its worker carries out are held by the
-- row -1 under its fence and by no worker themselves; those that wait are ordinary.

alter table workflow_steps add column made jsonb;
comment on column workflow_steps.made is 'of a row that a program asked for: {action, tool, timeout, retry, fields (of one that waits), state (what it changed)}';

alter table workflow_steps drop constraint workflow_steps_shape;
alter table workflow_steps add constraint workflow_steps_shape check (
	((status = 2) = (worker_id is not null) or made is not null)
	and (status >= 6) = (completed_at is not null)
	and (status <> 1 or ready_at is not null)
	and (status <> 3 or run_at is not null));

create or replace view v_steps as
select step_id(s.execution_id, s.step_number) as id, s.execution_id, s.step_number,
       s.step_key, f.name, coalesce(s.made ->> 'action', f.action) as action,
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

-- Of a program the text that clients see is the file's, not the tree that is read here.
create or replace view v_api_workflows as
select w.id as workflow_id, d.id as definition_id, d.name, d.version, d.is_active,
       d.project_id,
       d.version = max(d.version) over (partition by d.workflow_id) as newest,
       jsonb_build_object('id', w.id, 'definitionId', d.id, 'name', d.name,
	'description', d.description, 'version', d.version, 'isActive', d.is_active,
	'definitionPath', d.file_path, 'projectId', d.project_id, 'checksum', d.checksum,
	'createdAt', rfc3339(d.created_at), 'updatedAt', rfc3339(d.updated_at)) as doc,
       d.config, case when d.config ? 'program'
		then coalesce(d.source::jsonb #>> '{program,text}',
			d.source::jsonb #>> '{program,checksum}') else d.source end as source
  from workflow_definitions d
  join workflows w on w.id = d.workflow_id
 where not d.is_test;
