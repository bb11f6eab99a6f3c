-- New runs with their first steps, in a group. A run whose time has not come is pending
-- and its ready steps wait; one of a limited number at once is pending until
-- runs_admit.sql lets it; others start now. Definition and project are locked against
-- deletion, once per group in effect; one that is gone makes a null that the table
-- refuses, and with it the whole group. A child run comes alone, after steps_finish.sql in
-- its transaction, and only if the step that starts it was taken there.
-- $1 ids uuid[]   $2 definitions uuid[]   $3 projects uuid[]: null, the workflow's
-- $4 input jsonb[]   $5 trigger jsonb[]   $6 priority int2[]   $7 triggered_by text[]
-- $8 requested_by text[]   $9 idempotency_key text[]   $10 trace_id text[]
-- $11 timeout int8[], microseconds   $12 run_at timestamptz[]
-- $13 concurrency_key text[]   $14 concurrency_limit int4[]   $15 crash_on_interrupt bool[]
-- $16 retry_of uuid[]
-- The first steps of all of them: $17 run uuid[]   $18 number int4[]   $19 key text[]
-- $20 queue text[]   $21 max_attempts int2[]   $22 needs int4[]: 0, it is ready
-- $23 parent int4[]   $24 priority int2[]   $25 run_at timestamptz[]   $26 limited bool[]
-- The step that starts it: $27 run uuid (null: none)   $28 number int4   $29 fence int4
-- $30 tools jsonb[]: null, all, or those of the run that starts it
-- $31 schedules uuid[]: that fired, or null
with new as materialized (
	select u.*, d.id as def_id, p.id as project_id,
	       u.timeout_us * interval '1 microsecond' as timeout,
	       coalesce(u.run_at > now(), false) or u.concurrency_key is not null as pending
	  from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::jsonb[], $5::jsonb[],
		$6::smallint[], $7::text[], $8::text[], $9::text[], $10::text[], $11::bigint[],
		$12::timestamptz[], $13::text[], $14::int[], $15::bool[], $16::uuid[],
		$30::jsonb[], $31::uuid[])
	       u (id, definition, project, input, trigger, priority, triggered_by,
		requested_by, idempotency_key, trace_id, timeout_us, run_at, concurrency_key,
		concurrency_limit, crash_on_interrupt, retry_of, tools, schedule_id)
	  left join lateral (
		select id, project_id from workflow_definitions
		 where id = u.definition for key share) d on true
	  left join lateral (
		select id from projects
		 where id = coalesce(u.project, d.project_id,
			(select id from projects where name = 'default'))
		   for key share) p on true
	 where $27::uuid is null or exists (select from workflow_steps
		where execution_id = $27 and step_number = $28 and fence = $29
		  and status + 0 in (5, 6))
), run as (
	insert into workflow_runs (id, workflow_def_id, project_id, status, priority,
		triggered_by, requested_by, trigger_payload, current_step, input, timeout,
		concurrency_key, concurrency_limit, crash_on_interrupt, idempotency_key,
		parent_run_id, parent_step, depth, retry_of_run_id, trace_id, run_at, started_at,
		tools, schedule_id)
	select id, def_id, project_id, case when pending then 0 else 1 end, priority,
	       triggered_by, requested_by, trigger, 1, input, timeout, concurrency_key,
	       concurrency_limit, crash_on_interrupt, idempotency_key, $27, $28,
	       coalesce((select depth + 1 from workflow_runs where id = $27), 0), retry_of,
	       trace_id, run_at, case when not pending then now() end,
	       coalesce(tools, (select tools from workflow_runs where id = $27)),
	       schedule_id
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
		max_attempts, queue, remaining_needs, parent_step, started_logged, ready_at, run_at)
	select run, number, key, case when needs > 0 then 0 when run_at > now() then 5
			when limited then 0 else 1 end,
	       priority, max_attempts, queue, needs, parent, number < 0,
	       case when needs <= 0 and not coalesce(run_at > now(), false) then now() end,
	       case when needs <= 0 and run_at > now() then run_at end
	  from unnest($17::uuid[], $18::int[], $19::text[], $20::text[], $21::smallint[],
		$22::int[], $23::int[], $24::smallint[], $25::timestamptz[], $26::bool[])
	       s (run, number, key, queue, max_attempts, needs, parent, priority, run_at,
		limited)
	 where $27::uuid is null or exists (select from new)
)
insert into workflow_events (execution_id, seq, type)
select id, 1, 1 from new where not pending;
