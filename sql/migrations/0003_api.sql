-- What clients see: each row once, as the JSON object that the HTTP API, the CLI and
-- metadata.json show. Keys are camelCase but for current_step and
-- current_workflow_step_id, which clients know by these names.

create function rfc3339(at timestamptz) returns text
language sql stable strict parallel safe
return to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"');

create view v_api_steps as
select execution_id, step_number, step_key, status_code,
       jsonb_build_object(
	'id', id, 'executionId', execution_id, 'stepNumber', step_number,
	'stepKey', step_key, 'name', name, 'action', action, 'status', upper(status),
	'attemptNumber', attempt_number, 'maxAttempts', max_attempts, 'losses', losses,
	'deaths', deaths, 'queue', queue, 'priority', priority,
	'readyAt', rfc3339(ready_at), 'runAt', rfc3339(run_at),
	'parentStepId', parent_step_id, 'itemIndex', item_index,
	'input', input, 'output', output, 'error', error, 'workerId', worker_id,
	'idempotencyKey', idempotency_key, 'logFilePath', log_file_path,
	'startedAt', rfc3339(started_at), 'completedAt', rfc3339(completed_at),
	'durationMs', duration_ms, 'createdAt', rfc3339(created_at),
	'updatedAt', rfc3339(updated_at)) as doc
  from v_steps;

create view v_api_runs as
select r.id, r.run_number, r.run_id, r.status_code, r.workflow_id, r.workflow_name,
       r.workflow_def_id, r.project_id, r.triggered_by, r.created_at,
       coalesce(r.started_at, r.created_at) as sort_started_at, r.completed_at,
       jsonb_build_object(
	'id', r.id, 'runId', r.run_id, 'workflowId', r.workflow_id,
	'workflowName', r.workflow_name, 'workflowDefId', r.workflow_def_id,
	'version', r.version, 'projectId', r.project_id, 'status', upper(r.status),
	'triggeredBy', r.triggered_by, 'requestedBy', r.requested_by,
	'scheduleId', r.schedule_id, 'triggerPayload', r.trigger_payload,
	'current_workflow_step_id', r.current_workflow_step_id,
	'current_step', (select s.doc from v_api_steps s where s.execution_id = r.id
		and s.step_number = r.current_step),
	'priority', r.priority, 'input', r.input, 'output', r.output, 'state', r.state,
	'error', r.error, 'stepCount', r.step_count, 'lastSeq', r.last_seq)
       || jsonb_build_object(
	'concurrencyKey', r.concurrency_key, 'idempotencyKey', r.idempotency_key,
	'parentRunId', r.parent_run_id, 'parentStepId', r.parent_step_id,
	'retryOfRunId', r.retry_of_run_id, 'branchName', r.branch_name,
	'commitSha', r.commit_sha, 'prUrl', r.pr_url, 'logFilePath', r.log_file_path,
	'traceId', r.trace_id, 'runAt', rfc3339(r.run_at),
	'startedAt', rfc3339(r.started_at), 'pausedAt', rfc3339(r.paused_at),
	'completedAt', rfc3339(r.completed_at), 'durationMs', r.duration_ms,
	'createdAt', rfc3339(r.created_at), 'updatedAt', rfc3339(r.updated_at)) as doc
  from v_runs r;

create view v_api_events as
select e.execution_id, e.seq,
       jsonb_build_object('seq', e.seq, 'at', rfc3339(e.at), 'type', e.type, 'payload',
	case when e.step_number is null then '{}'::jsonb
	     else jsonb_build_object('stepId', e.step_id, 'stepNumber', e.step_number,
		'stepKey', s.step_key, 'name', s.name, 'action', s.action)
		|| case when e.type = 'step.completed'
			then jsonb_build_object('durationMs', s.duration_ms)
			else '{}'::jsonb end
	end || coalesce(e.payload, '{}'::jsonb)) as doc
  from v_events e
  left join lateral (select step_key, name, action, duration_ms from v_steps s
	where s.execution_id = e.execution_id and s.step_number = e.step_number) s on true;

create view v_api_comments as
select execution_id, created_at, id,
       jsonb_build_object('id', id, 'executionId', execution_id,
	'stepId', step_id(execution_id, step_number), 'author', author,
	'message', message, 'metadata', metadata, 'createdAt', rfc3339(created_at)) as doc
  from workflow_comments;

create view v_api_artifacts as
select a.execution_id, a.step_number, a.type, a.created_at, a.id, a.storage_path, a.name,
       a.mime_type, a.sha256, p.path as project_path,
       jsonb_build_object('id', a.id, 'executionId', a.execution_id,
	'stepId', step_id(a.execution_id, a.step_number),
	'agentSessionId', a.agent_session_id, 'name', a.name, 'type', a.type,
	'storagePath', a.storage_path, 'storageType', a.storage_type,
	'mimeType', a.mime_type, 'sizeBytes', a.size_bytes, 'sha256', a.sha256,
	'metadata', a.metadata, 'createdAt', rfc3339(a.created_at)) as doc
  from workflow_artifacts a
  join workflow_runs r on r.id = a.execution_id
  join projects p on p.id = r.project_id;

create view v_api_workflows as
select w.id as workflow_id, d.id as definition_id, d.name, d.version, d.is_active,
       d.project_id,
       d.version = max(d.version) over (partition by d.workflow_id) as newest,
       jsonb_build_object('id', w.id, 'definitionId', d.id, 'name', d.name,
	'description', d.description, 'version', d.version, 'isActive', d.is_active,
	'definitionPath', d.file_path, 'projectId', d.project_id, 'checksum', d.checksum,
	'createdAt', rfc3339(d.created_at), 'updatedAt', rfc3339(d.updated_at)) as doc,
       d.config, d.source
  from workflow_definitions d
  join workflows w on w.id = d.workflow_id;

create view v_api_approvals as
select a.execution_id, a.step_number, a.id, a.status as status_code, r.project_id,
       jsonb_build_object('id', a.id, 'executionId', a.execution_id,
	'runId', d.name || '-' || r.run_number,
	'stepId', step_id(a.execution_id, a.step_number), 'stepNumber', a.step_number,
	'stepKey', s.step_key, 'prompt', a.prompt, 'args', a.args,
	'status', approval_status_name(a.status), 'decidedBy', a.decided_by,
	'comment', a.comment, 'decidedAt', rfc3339(a.decided_at),
	'expiresAt', rfc3339(a.expires_at), 'createdAt', rfc3339(a.created_at)) as doc
  from workflow_approvals a
  join workflow_runs r on r.id = a.execution_id
  join workflow_definitions d on d.id = r.workflow_def_id
  join workflow_steps s on s.execution_id = a.execution_id and s.step_number = a.step_number;
