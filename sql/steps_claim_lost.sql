-- What claims took whose answers were lost: the same columns as steps_claim.sql.
-- $1 worker uuid   $2 session int8   $3 claim_number int4: it and those after it
with alive as materialized (
	select session is not distinct from $2 as mine from workers
	 where id = $1 and status + 0 = 1 for key share
)
select a.mine, false as aside, g.execution_id, g.step_number, g.fence, g.attempt_number,
       g.losses, g.deaths, g.last_death, g.step_key, g.phase = 2 as woke, g.started_logged,
       g.started_at, g.priority, g.queue, g.ready_at, false as own, g.phase,
       coalesce(g.parent_step, 0) as parent, g.item_index, g.iteration, g.item,
       g.remaining_needs, g.made, r.*
  from alive a
  left join (workflow_steps g cross join lateral (
	select r.workflow_def_id, r.project_id, d.name || '-' || r.run_number as run_id,
	       p.path, r.triggered_by, r.input, r.trigger_payload, r.state,
	       r.parent_run_id, r.concurrency_key, r.tools, r.trace_id
	  from workflow_runs r
	 cross join lateral (
		select name from workflow_definitions where id = r.workflow_def_id offset 0) d
	 cross join lateral (
		select path from projects where id = r.project_id offset 0) p
	 where r.id = g.execution_id offset 0) r)
    on a.mine and g.worker_id = $1 and g.status = 2 and g.claim_number >= $3;
