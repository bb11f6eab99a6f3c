-- Cancels what has not started, after steps_finish.sql in its transaction, for what it
-- took: the rest of a graph when one step failed or led to the end, or the siblings of an
-- item that failed. What runs goes on to its end; so does a step whose children run, but
-- these are cut short: who holds a block begins no other iteration. Who waits for what is
-- cancelled has that much less to wait for. The end of the graph (row -1) keeps why, and
-- that is what came first: what fails after a step led to the end fails no run.
-- $1 runs uuid[] $2 numbers int4[] $3 fences int4[] $4 status int2[]: by whom
-- $5 parent int4[]: only children of this row; null: all
-- $6 closing int2[]: 1 it led to the end, 2 it failed, 0 only siblings   $7 error jsonb[]
-- Answer: run, number, queue, priority of what is ready now.
with item as (
	select u.run, r.last_seq, r.status as run_now,
	       bool_or(parent is null) as whole, array_agg(parent) as parents,
	       max(closing) as closing,
	       (array_agg(error order by number) filter (where closing = 2))[1] as error
	  from unnest($1::uuid[], $2::int[], $3::int[], $4::smallint[], $5::int[],
		$6::smallint[], $7::jsonb[])
	       u (run, number, item_fence, to_status, parent, closing, error)
	 cross join lateral (
		select status, last_seq from workflow_run_state
		 where execution_id = u.run and status + 0 in (1, 2) offset 0) r
	 cross join lateral (
		select priority from workflow_steps
		 where execution_id = u.run and step_number = u.number
		   and fence = u.item_fence and status + 0 = u.to_status
		   and xmin = pg_current_xact_id()::xid offset 0) s
	 group by u.run, r.last_seq, r.status
), cut as (
	update workflow_steps s
	   set status = 9, completed_at = now(), fence = s.fence + 1
	  from item i
	 where s.execution_id = any (array[i.run]) and s.step_number > 0
	   and (i.whole or s.parent_step = any (i.parents))
	   and (s.status + 0 in (0, 1, 3) or (s.status + 0 in (4, 5) and s.phase <> 3))
	returning i.run, i.last_seq, i.run_now, i.whole, s.step_number, s.parent_step, s.item is null
		or s.started_logged or s.attempt_number > 1 as told
), void as (
	update workflow_approvals a set status = 4, updated_at = now()
	  from cut c
	 where a.execution_id = any (array[c.run]) and a.step_number = c.step_number
	   and a.status + 0 = 0
), log as (
	insert into workflow_events (execution_id, seq, step_number, type)
	select run, last_seq + row_number() over (partition by run order by step_number),
	       step_number, 7
	  from cut where told
), state as (
	update workflow_run_state r set last_seq = r.last_seq + x.told
	  from (select run, count(*) filter (where told) as told from cut group by run) x
	 where r.execution_id = any (array[x.run])
), holder as (
	select i.run, i.run_now, s.step_number
	  from item i cross join lateral (
		select step_number from workflow_steps h
		 where execution_id = i.run and status + 0 = 5 and phase = 3
		   and exists (select from workflow_steps c
			where c.execution_id = i.run and c.parent_step = h.step_number
			  and c.item is null)) s
	 where i.whole
), less as (
	select run, run_now, parent_step, sum(met)::int as met, max(closing) as closing,
	       (array_agg(error) filter (where error is not null))[1] as error
	  from (select run, run_now, parent_step, 1 as met, 0 as closing,
		       case when whole and parent_step > 0 then jsonb_build_object('code', 'cancelled',
			'message', 'the run ends before it has') end as error
		  from cut where parent_step is not null
		union all
		select run, run_now, step_number, 0, 0, jsonb_build_object('code', 'cancelled',
			'message', 'the run ends before it has')
		  from holder
		union all
		select run, run_now, -1, 0, closing, error from item where closing > 0) x
	 group by run, run_now, parent_step
), moved as (
	update workflow_steps s
	   set remaining_needs = s.remaining_needs - l.met,
	       error = case when s.step_number = -1 and s.phase = 1 then s.error
			else coalesce(s.error, l.error) end,
	       phase = case when s.phase = 0 then l.closing else s.phase end,
	       status = case when s.remaining_needs = l.met and s.status + 0 in (0, 5)
			then case when l.run_now = 1 then 1 else 0 end else s.status end,
	       ready_at = case when s.remaining_needs = l.met then now() else s.ready_at end
	  from less l
	 where s.execution_id = any (array[l.run]) and s.step_number = l.parent_step
	   and (s.step_number = -1 and s.status + 0 in (0, 1)
		or s.status + 0 = 5 and s.phase = 3)
	returning l.run, s.step_number, s.queue, s.priority, s.status, l.met
)
select run, step_number, queue, priority from moved where status = 1 and met > 0;
