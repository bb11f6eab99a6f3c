-- A schedule whose rule cannot be read any more is switched off; the ledger says why.
-- $1 id uuid   $2 revision int4   $3 why text
with stopped as (
	update schedules
	   set enabled = false, next_run_at = null, due_at = null, updated_at = now()
	 where id = $1 and revision = $2
	returning id
)
insert into schedule_firings (schedule_id, fire_time, outcome, detail)
select id, now(), 'failed', $3 from stopped
on conflict do nothing;
