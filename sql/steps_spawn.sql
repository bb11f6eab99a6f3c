-- Makes the rows of steps that fan out, begin a block, or go on in one: after
-- steps_finish.sql in its transaction, for what it took. Numbers are given here, under the
-- run's lock, above all there are. The first `parallel` of them are ready, the others when
-- steps_meet.sql lets them. A step that waits for them keeps how many there are.
-- $1 runs uuid[] $2 numbers int4[] $3 fences int4[] $4 status int2[]: of whom, as it is now
-- $5 key text[] $6 queue text[] $7 max_attempts int2[] $8 count int4[] $9 parallel int4[]
-- $10 parent int4[] (null: none) $11 item_index int4[] $12 iteration int4[]
-- $13 items jsonb[]: one each, or null   $14 expects bool[]   $15 own_iteration int4[]
-- Answer: place in the arrays (from 1), the first number, how many are ready.
with item as (
	select u.*, r.status as run_now, s.priority, m.top
	  from unnest($1::uuid[], $2::int[], $3::int[], $4::smallint[], $5::text[],
		$6::text[], $7::smallint[], $8::int[], $9::int[], $10::int[], $11::int[],
		$12::int[], $13::jsonb[], $14::bool[], $15::int[])
	       with ordinality
	       u (run, number, item_fence, to_status, key, queue, max_attempts, count,
		parallel, parent, item_index, iteration, items, expects, own_iteration, place)
	 cross join lateral (
		select status, last_seq from workflow_run_state
		 where execution_id = u.run and status + 0 in (1, 2) offset 0) r
	 cross join lateral (
		select priority from workflow_steps
		 where execution_id = u.run and step_number = u.number
		   and fence = u.item_fence and status + 0 = u.to_status
		   and xmin = pg_current_xact_id()::xid offset 0) s
	 cross join lateral (
		select step_number as top from workflow_steps where execution_id = u.run
		 order by execution_id desc, step_number desc limit 1) m
), placed as (
	select i.*, i.top + sum(count) over (partition by run order by place) - count as base
	  from item i
), made as (
	insert into workflow_steps (execution_id, step_number, step_key, status, priority,
		max_attempts, ready_at, parent_step, item_index, iteration, queue, item)
	select run, base + n, key, case when n <= parallel and run_now = 1 then 1 else 0 end,
	       priority, max_attempts, case when n <= parallel then now() end, parent,
	       case when items is null then item_index else n - 1 end, iteration, queue,
	       items -> (n - 1)
	  from placed cross join lateral generate_series(1, count) n
), waiting as (
	update workflow_steps s
	   set remaining_needs = p.count, iteration = p.own_iteration
	  from placed p
	 where p.expects and s.execution_id = any (array[p.run]) and s.step_number = p.number
)
select place::int, (base + 1)::int, case when run_now = 1 then least(count, parallel) else 0 end
  from placed;
