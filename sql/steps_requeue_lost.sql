-- Requeues the steps of a worker that is declared dead, as their next attempt. A crash
-- counts against a step (deaths) only if the worker ran nothing else. In company nobody
-- can be blamed; but a step that was lost before is suspected. last_death keeps what is
-- known of the crash in both cases, and with it the step is run alone from then on.
-- Of a paused run they are pending until that goes on.
-- Each run concerned hears of it once, with the numbers of its steps: rows in which the
-- engine keeps something (numbers below 1) are none.
-- $1 worker uuid   $2 ending jsonb: what its parent saw of its end, or null
-- $3 crashed bool: the parent saw it die, and had not told it to
with lost as (
	update workflow_steps s
	   set status = case when (select r.status from workflow_run_state r
			where r.execution_id = s.execution_id) = 2 then 0 else 1 end,
	       worker_id = null, fence = s.fence + 1,
	       attempt_number = s.attempt_number + 1, losses = s.losses + 1,
	       deaths = s.deaths + ($3::bool and held.alone)::int,
	       last_death = case when $3 and (held.alone or s.losses > 0) then $2::jsonb
			else s.last_death end,
	       ready_at = now(), started_at = null, started_logged = false
	  from (select count(*) = 1 as alone from workflow_steps
		 where worker_id = $1 and status = 2 offset 0) held
	 where s.worker_id = $1 and s.status = 2
	returning s.execution_id, s.step_number, s.queue, s.priority
), run as materialized (
	select x.execution_id, x.steps, r.last_seq, uuid7() as comment_id
	  from (select execution_id, coalesce(array_agg(step_number order by step_number)
			filter (where step_number > 0), '{}') as steps
		  from lost group by execution_id) x
	 cross join lateral (
		select last_seq from workflow_run_state
		 where execution_id = x.execution_id offset 0) r
), comment as (
	insert into workflow_comments (id, execution_id, author, message)
	select comment_id, execution_id, 'stepmill',
	       'Taken up again: the worker that ran it was lost'
	  from run
), log as (
	insert into workflow_events (execution_id, seq, type, payload)
	select r.execution_id, r.last_seq + e.ord, e.type, e.payload
	  from run r cross join lateral (values
		(1, 12, jsonb_build_object('reason', 'worker lost', 'workerId', $1::uuid,
			'steps', r.steps) || coalesce($2, '{}')),
		(2, 13, jsonb_build_object('commentId', r.comment_id))
		) e (ord, type, payload)
), state as (
	update workflow_run_state r
	   set last_seq = x.last_seq + 2, worker_id = null, started_at = null
	  from run x
	 where r.execution_id = any (array[x.execution_id])
)
select execution_id, step_number, queue, priority from lost;
