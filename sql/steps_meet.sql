-- Counts what steps waited for, after steps_finish.sql in its transaction, for what it
-- took: a need that is over, a row that a branch leads to, a child that has ended. What
-- nothing is left to wait for is ready; in a paused run it is ready when that goes on.
-- A row that waits for its children counts them only: in a graph it may have been chosen
-- early, and the others that might have chosen it end meanwhile. A program that rests (row
-- -1) is woken by the first of those that it waits for; it counts nothing.
-- Aggregated by target, for several may meet in one flush. An item that ends lets the
-- next of its siblings start, where their number at once is limited.
-- $1 runs uuid[] $2 numbers int4[] $3 fences int4[] $4 status int2[]: who met it
-- $5 target int4[]   $6 chosen bool[]: it is ready whatever else it waits for
-- $7 error jsonb[]: of a child that failed, or null   $8 release bool[]
-- Answer: run, number, queue, priority of what is ready.
with item as (
	select u.*, r.status as run_now, s.parent_step is not distinct from u.target as joins
	  from unnest($1::uuid[], $2::int[], $3::int[], $4::smallint[], $5::int[], $6::bool[],
		$7::jsonb[], $8::bool[])
	       u (run, number, item_fence, to_status, target, chosen, error, release)
	 cross join lateral (
		select status, last_seq from workflow_run_state
		 where execution_id = u.run and status + 0 in (1, 2) offset 0) r
	 cross join lateral (
		select parent_step from workflow_steps
		 where execution_id = u.run and step_number = u.number
		   and fence = u.item_fence and status + 0 = u.to_status
		   and xmin = pg_current_xact_id()::xid offset 0) s
), hit as (
	select run, target, count(*)::int as met, bool_or(chosen) as chosen,
	       (count(*) filter (where joins))::int as joined,
	       (array_agg(error order by number) filter (where error is not null))[1] as error,
	       count(*) filter (where release) as release, max(number) as number,
	       max(run_now) as run_now
	  from item group by run, target
), moved as (
	update workflow_steps s
	   set remaining_needs = case when s.status = 5 and s.step_number = -1 then 0
			when s.status = 5 then s.remaining_needs - h.joined
			when h.chosen then -1 else s.remaining_needs - h.met end,
	       error = coalesce(s.error, h.error),
	       status = case when case when s.status = 5
				then s.remaining_needs = h.joined or s.step_number = -1
				else h.chosen or s.remaining_needs = h.met end
			then case when h.run_now = 1 then 1 else 0 end else s.status end,
	       ready_at = case when case when s.status = 5
				then s.remaining_needs = h.joined or s.step_number = -1
				else h.chosen or s.remaining_needs = h.met end
			then now() else s.ready_at end
	  from hit h
	 where s.execution_id = any (array[h.run]) and s.step_number = h.target
	   and (s.status + 0 = 0 and s.ready_at is null
		or s.status + 0 = 5 and s.phase = 3 and (h.joined > 0 or s.step_number = -1))
	returning h.run, s.step_number, s.queue, s.priority, s.status
), released as (
	update workflow_steps s
	   set status = case when n.run_now = 1 then 1 else 0 end, ready_at = now()
	  from hit h cross join lateral (
		select execution_id, step_number, h.run_now from workflow_steps
		 where execution_id = h.run and step_number > h.number
		   and parent_step = h.target and status + 0 = 0 and ready_at is null
		 order by execution_id, step_number limit h.release) n
	 where h.release > 0 and s.execution_id = any (array[n.execution_id])
	   and s.step_number = n.step_number
	returning s.execution_id, s.step_number, s.queue, s.priority, s.status
)
select run, step_number, queue, priority from moved where status = 1
union all
select execution_id, step_number, queue, priority from released where status = 1;
