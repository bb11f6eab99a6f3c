-- Takes up to $6 ready steps for a worker: first those that queue entries named, then,
-- with the places left, whatever is ready and locked by nobody, oldest first from a
-- low-water mark. Touches steps only and never waits, so it cannot deadlock; a step that
-- comes back is ours, under a new fence, until the worker is declared dead.
-- No row: the worker is declared dead. One row with mine = false: another connection
-- speaks for it. Else mine = true in each row, and number is null when nothing was free.
-- $1 worker uuid   $2 session int8   $3 claim_number int4
-- $4 runs uuid[], $5 numbers int4[]: named steps   $6 most int4
-- $7 queues text[], $8 priorities int2[], $9 marks timestamptz[]: where to look, in order
-- $10 served text[]: the queues a named step may stand in
with alive as materialized (
	select session is not distinct from $2 as mine from workers
	 where id = $1 and status + 0 = 1 for key share
), named as materialized (
	select s.execution_id, s.step_number
	  from alive a cross join unnest($4::uuid[], $5::int[]) r (run, number)
	 cross join lateral (
		select execution_id, step_number from workflow_steps
		 where execution_id = r.run and step_number = r.number and status + 0 = 1
		   and queue = any ($10::text[])
		   for update skip locked) s
	 where a.mine limit $6
), own as materialized (
	select s.execution_id, s.step_number
	  from alive a cross join unnest($7::text[], $8::smallint[], $9::timestamptz[])
		p (queue, priority, mark)
	 cross join lateral (
		select execution_id, step_number from workflow_steps
		 where status = 1 and queue = p.queue and priority = p.priority
		   and ready_at >= p.mark
		   and (execution_id, step_number) not in (
			select execution_id, step_number from named)
		 order by ready_at limit $6 for update skip locked) s
	 where a.mine limit greatest($6 - (select count(*) from named), 0)
), got as (
	update workflow_steps s
	   set status = 2, worker_id = $1, fence = s.fence + 1, claim_number = $3,
	       started_at = coalesce(s.started_at, now())
	  from (select execution_id, step_number, false as own from named
		union all select execution_id, step_number, true from own) c
	 where s.execution_id = any (array[c.execution_id])
	   and s.step_number = c.step_number and s.status + 0 = 1
	returning s.*, c.own
)
select a.mine, g.execution_id, g.step_number, g.fence, g.attempt_number, g.losses,
       g.deaths, g.step_key, g.phase = 2 as woke, g.started_logged, g.started_at,
       g.priority, g.queue, g.ready_at, g.own, g.phase, coalesce(g.parent_step, 0) as parent,
       g.item_index, g.iteration, g.item, g.remaining_needs, r.*
  from alive a
  left join (got g cross join lateral (
	select r.workflow_def_id, r.project_id, d.name || '-' || r.run_number as run_id,
	       p.path, r.triggered_by, r.input, r.trigger_payload, r.state,
	       r.parent_run_id, r.concurrency_key
	  from workflow_runs r
	 cross join lateral (
		select name from workflow_definitions where id = r.workflow_def_id offset 0) d
	 cross join lateral (
		select path from projects where id = r.project_id offset 0) p
	 where r.id = g.execution_id offset 0) r) on true;
