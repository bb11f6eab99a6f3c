-- After schedules_undeclare.sql: the schedules that the file declares. One that is there and
-- says the same stays as it is, with what it has counted and when it fires next; one that
-- says something else goes on by that, and counts anew if it had reached its number. What a
-- person paused stays paused.
-- $1 name text   $2 project uuid, or null: everybody's   $3 now timestamptz
-- By place: $4 id uuid[] of new ones   $5 place int[]   $6 name text[]   $7 cron text[]
-- $8 zone text[]   $9 start text[]   $10 end text[]   $11 days jsonb[], null: all
-- $12 max runs int[]   $13 catch up text[]   $14 overlap text[]   $15 jitter int[], ms
-- $16 input jsonb[]   $17 next run timestamptz[]   $18 due timestamptz[]
insert into schedules as s (id, declared_by, declared_place, workflow_id, project_id, name,
	cron_expression, timezone, active_hours_start, active_hours_end, active_hours_days,
	max_runs, catch_up, overlap, jitter_ms, input, next_run_at, due_at, created_at)
select u.id, w.id, u.place, w.id, coalesce(w.project_id, p.id), u.name, u.cron, u.zone,
       u.starts, u.ends,
       (select array_agg(d::int) from jsonb_array_elements_text(u.days) d),
       u.max_runs, u.catch_up, u.overlap, u.jitter, u.input, u.next, u.due, $3
  from workflows w, projects p, unnest($4::uuid[], $5::int[], $6::text[], $7::text[],
	$8::text[], $9::text[], $10::text[], $11::jsonb[], $12::int[], $13::text[],
	$14::text[], $15::int[], $16::jsonb[], $17::timestamptz[], $18::timestamptz[])
       u (id, place, name, cron, zone, starts, ends, days, max_runs, catch_up, overlap,
	jitter, input, next, due)
 where w.name = $1 and w.project_id is not distinct from $2 and p.name = 'default'
    on conflict (declared_by, declared_place) where declared_by is not null
    do update set name = excluded.name, cron_expression = excluded.cron_expression,
	timezone = excluded.timezone, active_hours_start = excluded.active_hours_start,
	active_hours_end = excluded.active_hours_end,
	active_hours_days = excluded.active_hours_days, max_runs = excluded.max_runs,
	catch_up = excluded.catch_up, overlap = excluded.overlap,
	jitter_ms = excluded.jitter_ms, input = excluded.input,
	run_count = case when s.run_count >= s.max_runs then 0 else s.run_count end,
	enabled = s.enabled or coalesce(s.run_count >= s.max_runs, false),
	next_run_at = case when s.enabled or s.run_count >= s.max_runs
			then excluded.next_run_at end,
	due_at = case when s.enabled or s.run_count >= s.max_runs
			then excluded.next_run_at end,
	created_at = excluded.created_at, updated_at = now(), revision = s.revision + 1
 where (s.name, s.cron_expression, s.timezone, s.active_hours_start, s.active_hours_end,
	s.active_hours_days, s.max_runs, s.catch_up, s.overlap, s.jitter_ms, s.input)
       is distinct from (excluded.name, excluded.cron_expression, excluded.timezone,
	excluded.active_hours_start, excluded.active_hours_end, excluded.active_hours_days,
	excluded.max_runs, excluded.catch_up, excluded.overlap, excluded.jitter_ms,
	excluded.input)
returning pg_notify('stepmill_schedules', '');
