-- Takes up to $6 ready steps for a worker: first those that queue entries named, then,
-- with the places left, whatever is ready and locked by nobody, oldest first from a
-- low-water mark. Touches steps only and never waits, so it cannot deadlock; a step that
-- comes back is ours, under a new fence, until the worker is declared dead.
-- A step with a last_death is run alone: only a worker that holds nothing takes one, and
-- it takes nothing else. While one waits, one worker makes room for it, the youngest that
-- serves its queue: it takes nothing and hears that it stands aside. One, so that all the
-- others work on; the youngest, because it has the least in hand when another one died.
-- No row: the worker is declared dead. One row with mine = false: another connection
-- speaks for it. Else mine = true in each row, and number is null when nothing was free.
-- $1 worker uuid   $2 session int8   $3 claim_number int4
-- $4 runs uuid[], $5 numbers int4[]: named steps   $6 most int4
-- $7 queues text[], $8 priorities int2[], $9 marks timestamptz[]: where to look, in order
-- $10 served text[]: the queues a named step may stand in   $11 empty bool: holds nothing
with alive as materialized (
	select session is not distinct from $2 as mine from workers
	 where id = $1 and status + 0 = 1 for key share
), alone as materialized (
	select s.execution_id, s.step_number
	  from alive a
	 cross join lateral (
		select execution_id, step_number from workflow_steps
		 where status = 1 and last_death is not null and queue = any ($10::text[])
		 order by ready_at limit 1 for update skip locked) s
	 where a.mine and $11::bool
), turn as materialized (
	select a.mine, not exists (select from alone) as others,
	       not $11 and exists (
		select from workflow_steps s
		 where s.status = 1 and s.last_death is not null
		   and s.queue = any ($10::text[])
		   and not exists (select from workers w
			where w.id > $1 and w.status + 0 = 1
			  and s.queue = any (w.queues))) as aside
	  from alive a
), named as materialized (
	select s.execution_id, s.step_number
	  from turn t cross join unnest($4::uuid[], $5::int[]) r (run, number)
	 cross join lateral (
		select execution_id, step_number from workflow_steps
		 where execution_id = r.run and step_number = r.number and status + 0 = 1
		   and last_death is null and queue = any ($10::text[])
		   for update skip locked) s
	 where t.mine and t.others and not t.aside limit $6
), own as materialized (
	select s.execution_id, s.step_number
	  from turn t cross join unnest($7::text[], $8::smallint[], $9::timestamptz[])
		p (queue, priority, mark)
	 cross join lateral (
		select execution_id, step_number from workflow_steps
		 where status = 1 and queue = p.queue and priority = p.priority
		   and ready_at >= p.mark and last_death is null
		   and (execution_id, step_number) not in (
			select execution_id, step_number from named)
		 order by ready_at limit $6 for update skip locked) s
	 where t.mine and t.others and not t.aside
	 limit greatest($6 - (select count(*) from named), 0)
), got as (
	update workflow_steps s
	   set status = 2, worker_id = $1, fence = s.fence + 1, claim_number = $3,
	       started_at = coalesce(s.started_at, now())
	  from (select execution_id, step_number, false as own from named
		union all select execution_id, step_number, true from own
		union all select execution_id, step_number, false from alone) c
	 where s.execution_id = any (array[c.execution_id])
	   and s.step_number = c.step_number and s.status + 0 = 1
	returning s.*, c.own
)
select t.mine, t.aside, g.execution_id, g.step_number, g.fence, g.attempt_number, g.losses,
       g.deaths, g.last_death, g.step_key, g.phase = 2 as woke, g.started_logged,
       g.started_at, g.priority, g.queue, g.ready_at, g.own, g.phase,
       coalesce(g.parent_step, 0) as parent, g.item_index, g.iteration, g.item,
       g.remaining_needs, g.made, r.*
  from turn t
  left join (got g cross join lateral (
	select r.workflow_def_id, r.project_id, d.name || '-' || r.run_number as run_id,
	       p.path, r.triggered_by, r.input, r.trigger_payload, r.state,
	       r.parent_run_id, r.concurrency_key, r.tools, r.trace_id
	  from workflow_runs r
	 cross join lateral (
		select name from workflow_definitions where id = r.workflow_def_id offset 0) d
	 cross join lateral (
		select path from projects where id = r.project_id offset 0) p
	 where r.id = g.execution_id offset 0) r) on true;
