-- Stores what became of steps of programs, with their events, in one flush for many of
-- them: that one began, ended, failed and is tried again, or waits. A row is made or
-- changed as the item says. An item is left out (it is not in the answer) if the row of
-- its program (-1) is no longer held by this worker under this fence, its run neither runs
-- nor is paused, or the row has ended or is the engine's by now. After
-- steps_finish_lock.sql in its transaction: under the run's lock nobody else changes these
-- rows. Progress takes back what deaths of workers are counted against the program.
-- $1 worker uuid   $2 session int8
-- $3 runs uuid[] $4 fences int4[]: of the program   $5 numbers int4[] $6 keys text[]
-- $7 parents int4[] $8 status int2[]: as it is now: 2, 4, 5, 6, 7   $9 attempt int2[]
-- $10 max_attempts int2[] $11 losses int2[] $12 say_started bool[]
-- $13 event int2[]: its other event, 0: none   $14 age int8[]: microseconds since it began
-- $15 input jsonb[] $16 output jsonb[] $17 error jsonb[] $18 payload jsonb[]: of the event
-- $19 run_at timestamptz[] $20 phase int2[]   $21 made jsonb[]
-- $22 cut bool[]: its former attempt was cut off, which is told first
-- Answer: place in the arrays (from 1), the run's last event number after it, the run's
-- status.
with item as (
	select u.*, r.last_seq, r.status as run_now, p.priority, p.queue,
	       p.deaths > 0 or p.last_death is not null as blamed,
	       cut::int + say_started::int + (event > 0)::int as events
	  from unnest($3::uuid[], $4::int[], $5::int[], $6::text[], $7::int[],
		$8::smallint[], $9::smallint[], $10::smallint[], $11::smallint[], $12::bool[],
		$13::smallint[], $14::bigint[], $15::jsonb[], $16::jsonb[], $17::jsonb[],
		$18::jsonb[], $19::timestamptz[], $20::smallint[], $21::jsonb[], $22::bool[])
	       with ordinality
	       u (run, fence, number, key, parent, to_status, attempt, most, lost,
		say_started, event, age, new_input, new_output, new_error, payload, until,
		new_phase, new_made, cut, place)
	 cross join lateral (
		select last_seq, status from workflow_run_state
		 where execution_id = u.run and status + 0 in (1, 2) offset 0) r
	 cross join lateral (
		select priority, queue, deaths, last_death from workflow_steps
		 where execution_id = u.run and step_number = -1 and fence = u.fence
		   and worker_id = $1 and status + 0 = 2 offset 0) p
	  left join lateral (
		select made, worker_id, status from workflow_steps
		 where execution_id = u.run and step_number = u.number offset 0) o on true
	 where exists (select from workers
		where id = $1 and status + 0 = 1 and session = $2)
	   and (o.status is null or o.made is not null and o.worker_id is null
		and o.status + 0 in (0, 2))
), told as (
	select i.*, i.last_seq + sum(events) over (partition by run order by place) as after
	  from item i
), step as (
	insert into workflow_steps (execution_id, step_number, step_key, status, priority,
		attempt_number, max_attempts, losses, fence, parent_step, phase,
		started_logged, run_at, started_at, completed_at, queue, input, output,
		error, made)
	select run, number, key, to_status, priority, attempt, most, lost, fence, parent,
	       new_phase, true, until, now() - age * interval '1 microsecond',
	       case when to_status >= 6 then now() end, queue, new_input, new_output,
	       new_error, new_made
	  from told
	    on conflict (execution_id, step_number) do update
	   set status = excluded.status, attempt_number = excluded.attempt_number,
	       losses = excluded.losses, fence = excluded.fence, phase = excluded.phase,
	       started_logged = true, run_at = excluded.run_at,
	       started_at = excluded.started_at, completed_at = excluded.completed_at,
	       input = coalesce(excluded.input, workflow_steps.input),
	       output = excluded.output, error = excluded.error, made = excluded.made
), log as (
	insert into workflow_events (execution_id, seq, step_number, type, at, payload)
	select run, after - events + 1, number, 4, now() - age * interval '1 microsecond',
	       jsonb_build_object('attempt', attempt - 1, 'willRetry', true, 'error',
		jsonb_build_object('code', 'interrupted', 'message',
			'the program or its worker ended while the step ran'))
	  from told where cut
	union all
	select run, after - events + cut::int + 1, number, 2,
	       now() - age * interval '1 microsecond', null
	  from told where say_started
	union all
	select run, after, number, event, now(), payload from told where event > 0
), state as (
	update workflow_run_state r
	   set last_seq = x.last_seq, current_step = x.step
	  from (select run, max(after) as last_seq, max(number) as step
		  from told group by run) x
	 where r.execution_id = any (array[x.run])
), absolved as (
	update workflow_steps s set deaths = 0, last_death = null
	  from (select distinct run from told where blamed and to_status >= 4) x
	 where s.execution_id = any (array[x.run]) and s.step_number = -1
)
select place::int, after::bigint, run_now::int from told;
