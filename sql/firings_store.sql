-- Entries of the ledger, and how their schedules go on. In the transaction of the runs that
-- they start, behind runs_insert.sql. All or nothing: a schedule that a person changed
-- since it was read, a time that is in the ledger already, or a leader that leads no more
-- undo the whole.
-- $1 epoch int8 of the leader
-- The schedules: $2 id uuid[]   $3 revision int4[]   $4 next_run_at timestamptz[], as read
-- $5 next timestamptz[], null: it fires no more   $6 due timestamptz[]
-- $7 counted int4[]: for max_runs   $8 reached bool[]: that is, it is switched off
-- $9 run uuid[]: the last one started, null: none
-- The entries: $10 schedule uuid[]   $11 fire_time timestamptz[]   $12 outcome text[]
-- $13 run uuid[], null   $14 detail text[], null
with gone_on as (
	update schedules s
	   set next_run_at = u.next, due_at = u.due, run_count = s.run_count + u.counted,
	       enabled = s.enabled and not u.reached,
	       last_run_id = coalesce(u.run, s.last_run_id),
	       last_run_at = case when u.run is null then s.last_run_at else now() end,
	       updated_at = now()
	  from unnest($2::uuid[], $3::int[], $4::timestamptz[], $5::timestamptz[],
		$6::timestamptz[], $7::int[], $8::bool[], $9::uuid[])
	       u (id, revision, expected, next, due, counted, reached, run)
	 where s.id = u.id and s.revision = u.revision and s.next_run_at = u.expected
	   and s.enabled
	returning s.id
), entered as (
	insert into schedule_firings (schedule_id, fire_time, outcome, run_id, detail)
	select * from unnest($10::uuid[], $11::timestamptz[], $12::text[], $13::uuid[],
		$14::text[])
)
select refuse_unless(
	(select count(*) from gone_on) = cardinality($2::uuid[])
	and exists (select from scheduler_leader where epoch = $1),
	'a schedule was changed meanwhile, or another scheduler leads');
