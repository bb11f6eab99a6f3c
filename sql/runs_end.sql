-- Ends runs from outside, after runs_lock.sql. Their open steps become cancelled under a
-- new fence, whatever they have become meanwhile; what had started says so in the log, but
-- for the end of a graph (row -1), of which nobody knows. A run that is over, or whose time
-- is not up after all, is left alone.
-- $1 runs uuid[]   $2 how int2: 5 cancelled, 6 timed out, 7 crashed   $3 error jsonb
-- $4 comment text, or null
-- Answer: run, status before and after, last event number.
with open as materialized (
	select execution_id, status, last_seq, current_step, uuid7() as comment_id
	  from workflow_run_state
	 where execution_id = any ($1::uuid[]) and status + 0 < 3
	   and ($2::smallint <> 6 or coalesce(deadline_at <= now(), false))
), step as (
	update workflow_steps s
	   set status = 9, worker_id = null, fence = s.fence + 1, completed_at = now()
	  from open r
	 where s.execution_id = any (array[r.execution_id]) and s.status + 0 < 6
	returning r.execution_id, r.last_seq, r.status as before, s.step_number, s.started_at,
		s.started_logged, s.attempt_number
), event as (
	select execution_id, before, type, step_number, at, payload,
	       last_seq + row_number() over (partition by execution_id
			order by part, step_number, ord) as seq
	  from (select s.execution_id, s.last_seq, s.before, 1 as part, s.step_number, e.ord,
		       e.type, e.at, null::jsonb as payload
		  from step s cross join lateral (values
			(1, case when s.started_at is not null and not s.started_logged
				then 2 end, s.started_at),
			(2, case when s.started_at is not null or s.started_logged
				or s.attempt_number > 1 then 7 end, now())
			) e (ord, type, at)
		 where s.step_number > 0
		union all
		select execution_id, last_seq, status, 2, null, 1, 13, now(),
		       jsonb_build_object('commentId', comment_id)
		  from open where $4::text is not null
		union all
		select execution_id, last_seq, status, 3, null, 1,
		       case $2 when 5 then 18 when 6 then 19 else 20 end, now(), null
		  from open) e
	 where type is not null
), void as (
	update workflow_approvals a set status = 4, updated_at = now()
	  from open r
	 where a.execution_id = any (array[r.execution_id]) and a.status + 0 = 0
), comment as (
	insert into workflow_comments (id, execution_id, author, message)
	select comment_id, execution_id, 'stepmill', $4 from open where $4 is not null
), log as (
	insert into workflow_events (execution_id, seq, step_number, type, at, payload)
	select execution_id, seq, step_number, type, at, payload from event
), state as (
	update workflow_run_state r
	   set status = $2, last_seq = x.last_seq, worker_id = null, started_at = null,
	       deadline_at = null, budget_left = null
	  from (select execution_id, max(seq) as last_seq from event group by 1) x
	 where r.execution_id = any (array[x.execution_id])
), run as (
	update workflow_runs r
	   set status = $2, error = $3, completed_at = now(), updated_at = now(),
	       current_step = x.current_step,
	       step_count = greatest(r.step_count, x.current_step)
	  from open x
	 where r.id = any (array[x.execution_id])
)
select execution_id, before, $2::smallint as after, max(seq) as last_seq
  from event group by 1, 2
union all
select execution_id, status, status, last_seq
  from workflow_run_state
 where execution_id = any ($1::uuid[])
   and not (status + 0 < 3
	and ($2::smallint <> 6 or coalesce(deadline_at <= now(), false)));
