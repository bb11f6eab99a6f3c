-- Stores what became of steps: results, events, counters, what comes next, how runs end.
-- An item is left out (it is not in the answer) if its step is no longer held by this
-- worker under this fence, or its run neither runs nor is paused. In a paused run the
-- result is kept and the next step is pending. Each item that is taken
-- carries its events: that it started (when the log does not say so yet), its own, and
-- at most one more (the next step started, or the run ended).
-- The numbering of events is right only because steps_finish_lock.sql came before. No
-- two CTEs are joined: what is needed later is carried along.
-- $1 worker uuid   $2 session int8
-- $3 runs uuid[] $4 numbers int4[] $5 fences int4[]: which
-- $6 say_started bool[]   $7 status int2[]: 2 it goes on, 3 tried again, 4 asks, 5 waits, 6 - 8
-- $8 input jsonb[] $9 output jsonb[] $10 error jsonb[]: of 4 what the event tells
-- $11 run_at timestamptz[]: of 3, 4, 5, or null   $12 will_retry bool[]   $13 only_waits bool[]
-- $14 next_key text[] $15 next_number int4[] $16 next_queue text[]
-- $17 next_max_attempts int2[] $18 next_held bool[]: the next step, or nulls
-- $19 run_status int2[]: 1, or how the run ends  $20 run_output jsonb[] $21 run_error jsonb[]
-- $22 phase int2[]: with which the step comes back
-- Answer: place in the arrays (from 1), the run's last event number after it, whether the
-- next step is held.
with item as (
	select u.*, r.last_seq, r.status as run_now,
	       coalesce(next_held, false) and r.status = 1 as holds_next,
	       say_started::int + (to_status <> 2 and number > 0)::int
		+ (coalesce(next_held, false) and r.status = 1)::int
		+ (run_status <> 1)::int as events
	  from unnest($3::uuid[], $4::int[], $5::int[], $6::bool[], $7::smallint[],
		$8::jsonb[], $9::jsonb[], $10::jsonb[], $11::timestamptz[], $12::bool[],
		$13::bool[], $14::text[], $15::int[], $16::text[], $17::smallint[],
		$18::bool[], $19::smallint[], $20::jsonb[], $21::jsonb[], $22::smallint[])
	       with ordinality
	       u (run, number, item_fence, say_started, to_status, new_input, new_output,
		new_error, until, will_retry, only_waits, next_key, next_number, next_queue,
		next_max_attempts, next_held, run_status, run_output, run_error, new_phase,
		place)
	 cross join lateral (
		select last_seq, status from workflow_run_state
		 where execution_id = u.run and status + 0 in (1, 2) offset 0) r
	 where exists (select from workers
		where id = $1 and status + 0 = 1 and session = $2)
), done as (
	update workflow_steps s
	   set status = d.to_status,
	       input = coalesce(d.new_input, s.input),
	       output = case when d.to_status = 2 then s.output else d.new_output end,
	       error = case when d.to_status in (2, 4) then s.error else d.new_error end,
	       run_at = case when d.to_status in (3, 4, 5) then d.until else s.run_at end,
	       phase = case when d.to_status in (3, 4, 5) then d.new_phase else s.phase end,
	       worker_id = case when d.to_status = 2 then s.worker_id end,
	       completed_at = case when d.to_status >= 6 then now() end,
	       started_logged = (d.say_started or s.started_logged) and d.to_status <> 3
	  from item d
	 where s.execution_id = any (array[d.run]) and s.step_number = d.number
	   and s.fence = d.item_fence and s.worker_id = $1 and s.status + 0 = 2
	returning d.place, d.run, d.number, d.item_fence, d.say_started, d.to_status,
		d.new_error, d.will_retry, d.only_waits, d.next_key, d.next_number,
		d.next_queue, d.next_max_attempts, d.holds_next, d.run_status, d.run_output,
		d.run_error, d.last_seq, d.run_now, d.events, s.started_at, s.attempt_number, s.priority
), told as (
	select d.*, d.last_seq + sum(events) over (partition by run order by number) as after
	  from done d
), log as (
	insert into workflow_events (execution_id, seq, step_number, type, at, payload)
	select run, after - events + 1, number, 2, started_at, null from told
	 where say_started
	union all
	select run, after - events + say_started::int + 1, number,
	       case to_status when 6 then 3 when 5 then 5 when 4 then 8 when 8 then 6
			else 4 end, now(),
	       case when to_status in (3, 7) then jsonb_build_object('error', new_error,
			'willRetry', will_retry, 'attempt', attempt_number)
		    when to_status = 4 then new_error
		    when to_status = 8 then jsonb_build_object('reason',
			coalesce(new_error ->> 'message', 'its condition is false')) end
	  from told where to_status <> 2 and number > 0
	union all
	select run, after, next_number, 2, now(), null from told where holds_next
	union all
	select run, after, null, case run_status when 3 then 16 when 4 then 17 when 5 then 18
			when 6 then 19 else 20 end, now(), null
	  from told where run_status <> 1
), state as (
	update workflow_run_state r
	   set last_seq = x.last_seq,
	       status = case when x.run_status = 1 then r.status else x.run_status end,
	       current_step = coalesce(x.step, r.current_step),
	       current_attempt = x.attempt,
	       current_fence = x.fence,
	       worker_id = case when x.held then $1 end,
	       started_at = x.started_at,
	       deadline_at = case when not (x.only_waits and x.waits_alone)
			and x.run_status = 1 then r.deadline_at end,
	       budget_left = case when x.run_status <> 1 then null
			when x.only_waits and x.waits_alone
			then coalesce(r.deadline_at - now(), r.budget_left)
			else r.budget_left end
	  from (select run, max(after) as last_seq, max(run_status) as run_status,
		       bool_and(only_waits) as only_waits,
		       case when bool_and(only_waits) then not exists (
			select from workflow_steps o
			 where o.execution_id = told.run and o.status + 0 in (1, 2, 3)
			   and o.step_number <> all (array_agg(told.number))) end
			as waits_alone,
		       nullif(max(coalesce(next_number, number)), -1) as step,
		       max(case when next_number is null then attempt_number else 1 end)
			as attempt,
		       max(case when next_number is null then item_fence
			else holds_next::int end) as fence,
		       bool_or(to_status = 2 or holds_next) as held,
		       max(case when holds_next then now() when to_status = 2 then started_at end)
			as started_at
		  from told group by run) x
	 where r.execution_id = any (array[x.run])
), next as (
	insert into workflow_steps (execution_id, step_number, step_key, status, priority,
		max_attempts, fence, started_logged, ready_at, started_at, worker_id, queue)
	select run, next_number, next_key,
	       case when holds_next then 2 when run_now = 1 then 1 else 0 end, priority,
	       next_max_attempts, holds_next::int, holds_next,
	       case when not holds_next then now() end,
	       case when holds_next then now() end,
	       case when holds_next then $1 end, next_queue
	  from told where next_key is not null
), run as (
	update workflow_runs r
	   set status = d.run_status,
	       current_step = case when d.number > 0 then d.number else r.current_step end,
	       step_count = greatest(d.number, r.step_count),
	       output = d.run_output, error = d.run_error, completed_at = now(),
	       updated_at = now()
	  from told d
	 where d.run_status <> 1 and r.id = any (array[d.run])
)
select place::int, after::bigint, holds_next from told;
