-- A new schedule, and the scheduler looks again. A project or a workflow that does not exist
-- is an error of the constraint schedules_project_id_fkey or schedules_workflow_id_fkey; a
-- heartbeat of a path that has one, of schedules_heartbeat.
-- $1 id uuid   $2 slug text (null: no heartbeat)   $3 name text   $4 kind text
-- $5 project uuid (null: the workflow's, else "default")   $6 workflow uuid
-- $7 created by text   $8 tools jsonb   $9 cron text   $10 zone text
-- $11 start text   $12 end text   $13 days int4[] (empty: all)   $14 max runs int
-- $15 heartbeat path text   $16 model text   $17 webhook text   $18 input jsonb
-- $19 enabled bool   $20 catch up text   $21 overlap text   $22 jitter int, milliseconds
-- $23 next run timestamptz   $24 due timestamptz   $25 created at timestamptz: what
-- "@every" counts from
with new as (
	insert into schedules (id, slug, name, kind, project_id, workflow_id, created_by, tools,
		cron_expression, timezone, active_hours_start, active_hours_end,
		active_hours_days, max_runs, heartbeat_path, model, webhook, input, enabled,
		catch_up, overlap, jitter_ms, next_run_at, due_at, created_at, updated_at)
	values ($1, $2, $3, $4,
		coalesce($5::uuid, (select project_id from workflows where id = $6::uuid),
			(select id from projects where name = 'default')),
		$6, $7, $8, $9, $10, $11, $12, nullif($13::int[], '{}'), $14, $15, $16, $17,
		$18, $19, $20, $21, $22, $23, $24, $25, $25)
	returning id
)
select id, pg_notify('stepmill_schedules', '')::text from new;
