-- What is known of why a run does not move: its own state, its open steps with what each
-- of them waits for, who could take them; and the text of its definition. Made into
-- reasons by supervisor/front/why_core.c. One row, or none: no such run. Counts stop at
-- 1000 and lists at their limit, however much there is. When a queued step will start is
-- guessed from how many of its queue did in the last minute, of the newest 2000 of all.
-- $1 id uuid (null)   $2 run number bigint (null)   $3 run id text (null)
-- $4 project uuid: no other's (null: any)
-- $5 step number int4, $6 step key text: only of this step (both null: of all)
with run as materialized (
	select r.id, d.name || '-' || r.run_number as run_id, s.status, s.paused_by,
	       s.last_seq, r.created_at, r.started_at, r.completed_at, r.run_at, r.error,
	       r.concurrency_key, r.concurrency_limit, d.source
	  from (select id from workflow_runs where id = $1
		union all
		select id from workflow_runs where run_number = $2 and $1 is null) f
	 cross join lateral (select * from workflow_runs where id = f.id offset 0) r
	 cross join lateral (
		select name, source from workflow_definitions where id = r.workflow_def_id
		offset 0) d
	 cross join lateral (
		select status, paused_by, last_seq from workflow_run_state
		 where execution_id = r.id offset 0) s
	 where ($4::uuid is null or r.project_id = $4)
	   and ($1 is not null or d.name || '-' || r.run_number = $3)
), open as materialized (
	select s.*, row_number() over (order by s.step_number)
		- count(*) filter (where s.status <> 1) over (order by s.step_number) as turn
	  from run r
	 cross join lateral (
		select step_number, step_key, status, attempt_number, max_attempts, queue,
		       priority, ready_at, run_at, started_at, worker_id, remaining_needs,
		       parent_step, phase, item_index, item is not null as is_item, error,
		       last_death is not null as alone, execution_id
		  from workflow_steps
		 where execution_id = r.id and step_number > 0 and status + 0 < 6
		   and not (status + 0 = 5 and phase = 3)
		   and not (status + 0 = 0 and item is not null and ready_at is null)
		   and ($5::int is null and $6::text is null
			or step_number = $5 or step_key = $6)
		 order by step_number limit 101) s
	 where r.status < 3
), held_up as (
	select jsonb_build_object('key', min(i.step_key), 'parent', i.parent_step,
		'waiting', count(*)) as doc
	  from run r
	 cross join lateral (
		select step_key, parent_step from workflow_steps
		 where execution_id = r.id and status + 0 = 0 and item is not null
		   and ready_at is null
		   and ($5::int is null and $6::text is null
			or step_number = $5 or step_key = $6)
		 limit 1000) i
	 where r.status < 3
	 group by i.parent_step
), asked as (
	select jsonb_build_object('number', s.step_number, 'key', s.step_key,
		'status', s.status, 'needs', s.remaining_needs,
		'completedAt', rfc3339(s.completed_at), 'error', s.error) as doc
	  from run r
	 cross join lateral (
		select step_number, step_key, status, remaining_needs, completed_at,
		       error
		  from workflow_steps
		 where execution_id = r.id and step_number > 0
		   and (step_number = $5 or step_key = $6)
		 order by step_number desc limit 1) s
), served as (
	select q.queue, r.started / greatest(r.span, 1) as rate, jsonb_build_object('workers', w.workers, 'slots', w.slots,
		'free', w.free) as doc
	  from (select distinct queue from open where status = 1) q
	 cross join lateral (
		select count(*) as workers, coalesce(sum(slots), 0) as slots,
		       coalesce(sum(greatest(slots - used, 0)), 0) as free
		  from workers
		 where status = 1 and lease_expires_at > now() and q.queue = any (queues)) w
	  left join lateral (
		select count(*) as started, extract(epoch from now() - min(started_at)) as span
		  from (select queue, started_at from workflow_steps
			 where execution_id >= uuid_at(now() - interval '5 minutes')
			 order by execution_id desc limit 2000) recent
		 where queue = q.queue and started_at > now() - interval '1 minute'
		having count(*) >= 10) r on true
), steps as (
	select o.step_number, jsonb_build_object('number', o.step_number, 'key', o.step_key,
		'status', o.status, 'attempt', o.attempt_number, 'of', o.max_attempts,
		'queue', o.queue, 'priority', priority_name(o.priority),
		'readyAt', rfc3339(o.ready_at), 'runAt', rfc3339(o.run_at),
		'startedAt', rfc3339(o.started_at), 'needs', o.remaining_needs,
		'parent', o.parent_step, 'itemIndex', case when o.is_item then o.item_index end,
		'alone', o.alone, 'before', p.before,
		'expectedStart', case when p.before < 1000 then rfc3339(now()
			+ (select (p.before + 1) / rate from served where queue = o.queue)
			* interval '1 second') end, 'worker', w.doc, 'approval', a.doc,
		'event', e.type, 'child', c.doc,
		'error', case when o.status = 3 then o.error end) as doc
	  from open o
	  left join lateral (
		select sum(least(x.before, 1000)) as before
		  from generate_series(0, o.priority::int) of_priority
		 cross join lateral (
			select count(*) as before from (
				select from workflow_steps
				 where status = 1 and queue = o.queue
				   and priority = of_priority::smallint
				   and (of_priority < o.priority or ready_at < o.ready_at)
				 order by ready_at limit 1000) b) x
		offset 0) p on o.status = 1 and o.turn <= 10
	  left join lateral (
		select jsonb_build_object('id', w.id, 'host', n.host, 'pid', w.pid) as doc
		  from workers w left join nodes n on n.id = w.node_id
		 where w.id = o.worker_id offset 0) w on o.status = 2
	  left join lateral (
		select jsonb_build_object('prompt', prompt, 'at', rfc3339(created_at),
			'expiresAt', rfc3339(expires_at)) as doc
		  from workflow_approvals
		 where execution_id = o.execution_id and step_number = o.step_number
		   and status = 0
		offset 0) a on o.status = 4
	  left join lateral (
		select type from event_waits
		 where execution_id = o.execution_id and step_number = o.step_number
		offset 0) e on o.status = 5
	  left join lateral (
		select jsonb_build_object('executionId', r.id,
			'runId', d.name || '-' || r.run_number,
			'status', run_status_name(r.status)) as doc
		  from workflow_runs r
		 cross join lateral (
			select name from workflow_definitions where id = r.workflow_def_id
			offset 0) d
		 where r.parent_run_id = o.execution_id and r.parent_step = o.step_number
		   and ($4::uuid is null or r.project_id = $4)
		 order by r.id desc limit 1) c on o.status = 5
), tops as (
	select jsonb_agg(jsonb_build_array(t.step_key, t.status)) as doc
	  from run r
	 cross join lateral (
		select step_key, status from workflow_steps
		 where execution_id = r.id and step_number between 1 and 1000
		   and parent_step = -1) t
	 where exists (select from open where status = 0)
), pause as (
	select jsonb_build_object('by', e.payload ->> 'by', 'at', rfc3339(e.at)) as doc
	  from run r
	 cross join lateral (
		select payload, at from workflow_events
		 where execution_id = r.id and seq > r.last_seq - 1000 and type = 10
		 order by seq desc limit 1) e
	 where r.status = 2 and r.paused_by = 1
), crowd as (
	select jsonb_build_object('key', r.concurrency_key, 'limit', r.concurrency_limit,
		'before', (select count(*) from (
			select from (
				select id from workflow_runs
				 where concurrency_key = r.concurrency_key and status = 0
				   and (run_at is null or run_at <= now()) offset 0) p
			 where p.id < r.id limit 1000) b),
		'holders', coalesce((select jsonb_agg(jsonb_build_object(
				'executionId', h.id, 'runId', d.name || '-' || h.run_number)
				order by h.id)
			  from (select id, run_number, workflow_def_id from workflow_runs
				 where concurrency_key = r.concurrency_key
				   and status in (1, 2)
				   and ($4::uuid is null or project_id = $4)
				 order by id limit 20) h
			 cross join lateral (
				select name from workflow_definitions
				 where id = h.workflow_def_id offset 0) d), '[]')) as doc
	  from run r
	 where r.status = 0 and r.concurrency_key is not null
)
select jsonb_build_object('id', r.id, 'runId', r.run_id, 'status', r.status,
	'pausedBy', r.paused_by, 'createdAt', rfc3339(r.created_at),
	'startedAt', rfc3339(r.started_at), 'completedAt', rfc3339(r.completed_at),
	'runAt', rfc3339(r.run_at), 'error', r.error, 'now', rfc3339(now()),
	'pause', (select doc from pause), 'concurrency', (select doc from crowd),
	'schedulerSeen', (select seen_at > now() - interval '15 seconds'
		from scheduler_leader),
	'asked', (select doc from asked),
	'tops', (select doc from tops),
	'queues', (select jsonb_object_agg(queue, doc) from served),
	'heldUp', (select jsonb_agg(doc) from held_up),
	'open', coalesce((select jsonb_agg(doc order by step_number) from steps), '[]'))::text,
       r.source
  from run r;
