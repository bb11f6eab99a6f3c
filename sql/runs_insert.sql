-- New runs with their first step, in a group. A run whose time has not come is pending
-- and its step waits; else both start now. Definition and project are locked against
-- deletion, once per group in effect; one that is gone makes a null that the table
-- refuses, and with it the whole group.
-- $1 ids uuid[]   $2 definitions uuid[]   $3 projects uuid[]: null, the workflow's
-- $4 input jsonb[]   $5 trigger jsonb[]   $6 priority int2[]   $7 triggered_by text[]
-- $8 requested_by text[]   $9 idempotency_key text[]   $10 trace_id text[]
-- $11 timeout int8[], microseconds   $12 run_at timestamptz[]
-- $13 step_key text[]   $14 queue text[]   $15 max_attempts int2[]: the first step
with new as materialized (
	select u.*, d.id as def_id, p.id as project_id,
	       u.timeout_us * interval '1 microsecond' as timeout,
	       coalesce(u.run_at > now(), false) as pending
	  from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::jsonb[], $5::jsonb[],
		$6::smallint[], $7::text[], $8::text[], $9::text[], $10::text[], $11::bigint[],
		$12::timestamptz[], $13::text[], $14::text[], $15::smallint[])
	       u (id, definition, project, input, trigger, priority, triggered_by,
		requested_by, idempotency_key, trace_id, timeout_us, run_at, step_key, queue,
		max_attempts)
	  left join lateral (
		select id, project_id from workflow_definitions
		 where id = u.definition for key share) d on true
	  left join lateral (
		select id from projects
		 where id = coalesce(u.project, d.project_id,
			(select id from projects where name = 'default'))
		   for key share) p on true
), run as (
	insert into workflow_runs (id, workflow_def_id, project_id, status, priority,
		triggered_by, requested_by, trigger_payload, current_step, input, timeout,
		idempotency_key, trace_id, run_at, started_at)
	select id, def_id, project_id, case when pending then 0 else 1 end, priority,
	       triggered_by, requested_by, trigger, 1, input, timeout, idempotency_key,
	       trace_id, run_at, case when not pending then now() end
	  from new
), state as (
	insert into workflow_run_state (execution_id, status, last_seq, current_step,
		deadline_at, budget_left)
	select id, case when pending then 0 else 1 end, case when pending then 0 else 1 end,
	       1, case when not pending then now() + timeout end,
	       case when pending then timeout end
	  from new
), step as (
	insert into workflow_steps (execution_id, step_number, step_key, status, priority,
		max_attempts, queue, ready_at, run_at)
	select id, 1, step_key, case when pending then 5 else 1 end, priority, max_attempts,
	       queue, case when not pending then now() end, case when pending then run_at end
	  from new
)
insert into workflow_events (execution_id, seq, type)
select id, 1, 1 from new where not pending;
