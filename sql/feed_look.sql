-- What the logs of runs hold after a number: where each run stands, then its events, at
-- most 100 of a run, 500 of all, 4 MiB of all (one is always there). Of a row for people,
-- what is larger than 64 KiB is left out, and NAMETruncated stands there.
-- $1 runs uuid[]   $2 since bigint[]   $3 whole bool[]: with rows, else the event alone
-- $4 first bool[]: with the project
-- Answer: place (from 1); of the first row of a place last number, run over, project, now;
-- of each other one event number, type, the event (as in v_api_events), its row, its
-- approval, at; of the first of them, if it is whole, the run. No row of a place: there is
-- no such run. No event: nothing new, or no room.
with asked as materialized (
	select u.place::int, u.run, u.since, u.whole, u.first, s.last_seq, s.status
	  from unnest($1::uuid[], $2::bigint[], $3::bool[], $4::bool[]) with ordinality
	       u (run, since, whole, first, place)
	 cross join lateral (
		select last_seq, status from stepmill.workflow_run_state
		 where execution_id = u.run offset 0) s
), log as materialized (
	select a.place, a.run, a.whole, e.seq, e.step_number, e.type, e.payload, e.at,
	       e.seq = a.since + 1 as first
	  from asked a
	 cross join lateral (
		select seq, step_number, type, payload, at from stepmill.workflow_events
		 where execution_id = a.run and seq > a.since order by seq limit 100) e
	 where a.since < a.last_seq
	 limit 500
), shown as materialized (
	select l.place, l.run, l.seq, l.first and l.whole as with_run, t.name as type, l.at,
	       jsonb_build_object('seq', l.seq, 'at', stepmill.rfc3339(l.at),
		'type', t.name, 'payload',
		case when l.step_number is null then '{}'::jsonb
		     else jsonb_build_object(
			'stepId', stepmill.step_id(l.run, l.step_number),
			'stepNumber', l.step_number, 'stepKey', s.step_key,
			'name', coalesce(f.step ->> 'name', s.step_key),
			'action', f.step ->> 'action')
			|| case when l.type = 3
				then jsonb_build_object('durationMs', s.duration_ms)
				else '{}'::jsonb end
		end || coalesce(l.payload, '{}'::jsonb)) as event,
	       case when not l.whole then null
		    when l.type = 13 then (select doc from stepmill.v_api_comments
			where id = (l.payload ->> 'commentId')::uuid)
		    when l.type = 15 then (select doc from stepmill.v_api_artifacts
			where id = (l.payload ->> 'artifactId')::uuid
			  and execution_id = l.run)
		    when l.step_number is not null then (select doc
			from stepmill.v_api_steps where execution_id = l.run
			 and step_number = l.step_number)
		    else (select doc from stepmill.v_api_runs where id = l.run)
	       end as whole_row,
	       case when l.whole and l.type = 8 then (
			select jsonb_build_object('stepKey', s.step_key,
				'prompt', prompt, 'args', args)
			  from stepmill.workflow_approvals
			 where execution_id = l.run and step_number = l.step_number
			 order by id desc limit 1)
		    when l.whole and l.type = 10 and l.payload ->> 'reason' = 'approval'
		    then (
			select jsonb_build_object('stepKey', (
				select step_key from stepmill.workflow_steps
				 where execution_id = l.run
				   and step_number = a.step_number),
				'prompt', prompt, 'args', args)
			  from stepmill.workflow_approvals a
			 where execution_id = l.run and status = 0 and step_number > 0
			 order by step_number desc limit 1) end as approval
	  from log l
	 cross join lateral (select stepmill.event_type_name(l.type) as name) t
	  left join lateral (
		select step_key, (extract(epoch from completed_at - started_at) * 1000)::bigint
			as duration_ms
		  from stepmill.workflow_steps
		 where execution_id = l.run and step_number = l.step_number offset 0) s
	       on true
	  left join lateral (
		select workflow_def_id as id from stepmill.workflow_runs
		 where id = l.run and l.step_number is not null offset 0) d on true
	  left join lateral (
		select jsonb_path_query_first(config, '$.steps[*] ? (@.id == $key)',
			jsonb_build_object('key', s.step_key)) as step
		  from stepmill.workflow_definitions where id = d.id offset 0) f on true
), cut as (
	select s.*,
	       case when pg_column_size(s.whole_row) <= 65536 then s.whole_row
		    else (select jsonb_object_agg(
				case when v.large and v.key <> 'current_step'
				     then v.key || 'Truncated' else v.key end,
				case when not v.large then v.value
				     when v.key <> 'current_step' then 'true'
				     else (v.value - '{input,output}'::text[])
					|| '{"outputTruncated": true}' end)
			    from (select key, value,
					 octet_length(value::text) > 65536 as large
				    from jsonb_each(s.whole_row)) v) end as row
	  from shown s
), sized as (
	select c.*, sum(pg_column_size(c.event) + coalesce(pg_column_size(c.row), 0)
			+ coalesce(pg_column_size(c.approval), 0))
			over (order by c.place, c.seq) as sum,
	       row_number() over (order by c.place, c.seq) as number
	  from cut c
)
select place, last_seq, status >= 3 as over,
       case when first then (select project_id from stepmill.workflow_runs
		where id = a.run) end as project, now() as now,
       null::jsonb as run_doc, null::bigint as seq, null::text as type,
       null::jsonb as event, null::jsonb as row, null::jsonb as approval,
       null::timestamptz as at
  from asked a
union all
select place, null, null, null, null,
       case when with_run then (
	select jsonb_build_object('executionId', r.id, 'runId', r.run_id,
		'workflowId', r.workflow_id, 'workflowName', r.workflow_name,
		'projectId', r.project_id, 'status', r.status,
		'triggeredBy', r.triggered_by, 'requestedBy', r.requested_by,
		'currentWorkflowStepId', r.current_workflow_step_id,
		'currentStepKey', (select step_key from stepmill.workflow_steps
			where execution_id = r.id and step_number = r.current_step),
		'startedAt', stepmill.rfc3339(r.started_at),
		'completedAt', stepmill.rfc3339(r.completed_at),
		'durationMs', r.duration_ms, 'error', r.error,
		'stepsCompleted', case when r.status_code >= 3 then (
			select count(*) from stepmill.workflow_steps
			 where execution_id = r.id and step_number > 0 and status = 6) end,
		'createdAt', stepmill.rfc3339(r.created_at), 'lastSeq', r.last_seq)
	  from stepmill.v_runs r where r.id = e.run) end,
       seq, type, event, row, approval, at
  from sized e
 where sum <= 4194304 or number = 1
 order by place, seq nulls first;
