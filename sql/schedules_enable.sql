-- A schedule fires from now on, or not any more, after schedules_find.sql; nothing else of
-- it changes. The scheduler looks again, and what it decided before is refused.
-- $1 id uuid   $2 enabled bool   $3 next run timestamptz   $4 due timestamptz
with changed as (
	update schedules
	   set enabled = $2, next_run_at = $3, due_at = $4, revision = revision + 1,
	       updated_at = now()
	 where id = $1
	returning id
)
select id, pg_notify('stepmill_schedules', '')::text from changed;
