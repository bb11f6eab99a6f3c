-- A schedule as a person wants it from now on, after schedules_find.sql, and the scheduler
-- looks again: what it decided before about this schedule is refused. Errors as in
-- schedules_insert.sql.
-- $1 id uuid   $2 name text   $3 workflow uuid   $4 cron text   $5 zone text
-- $6 start text   $7 end text   $8 days int4[] (empty: all)   $9 max runs int
-- $10 heartbeat path text   $11 model text   $12 webhook text   $13 input jsonb
-- $14 enabled bool   $15 catch up text   $16 overlap text   $17 jitter int, milliseconds
-- $18 next run timestamptz   $19 due timestamptz
with changed as (
	update schedules
	   set name = $2, workflow_id = $3, cron_expression = $4, timezone = $5,
	       active_hours_start = $6, active_hours_end = $7,
	       active_hours_days = nullif($8::int[], '{}'), max_runs = $9,
	       heartbeat_path = $10, model = $11, webhook = $12, input = $13, enabled = $14,
	       catch_up = $15, overlap = $16, jitter_ms = $17, next_run_at = $18,
	       due_at = $19, revision = revision + 1, updated_at = now()
	 where id = $1
	returning id
)
select id, pg_notify('stepmill_schedules', '')::text from changed;
