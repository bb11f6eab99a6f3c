-- A schedule was fired by hand, after schedules_find.sql and with the run in one
-- transaction: an entry of the ledger, and the run counts. It is switched off when it has
-- no more runs, and the scheduler looks again: what it decided before is refused.
-- $1 id uuid   $2 fire time timestamptz   $3 run uuid   $4 detail text
with ledger as (
	insert into schedule_firings (schedule_id, fire_time, outcome, run_id, detail)
	values ($1, $2, 'started', $3, $4)
), fired as (
	update schedules
	   set run_count = run_count + 1, last_run_at = $2, last_run_id = $3,
	       enabled = enabled and coalesce(run_count + 1 < max_runs, true),
	       next_run_at = case when coalesce(run_count + 1 < max_runs, true)
		then next_run_at end,
	       due_at = case when coalesce(run_count + 1 < max_runs, true) then due_at end,
	       revision = revision + 1, updated_at = now()
	 where id = $1
	returning id
)
select id, pg_notify('stepmill_schedules', '')::text from fired;
