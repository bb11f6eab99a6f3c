-- Makes those of the named steps ready whose time has come, after runs_lock.sql. A retry
-- is the next attempt; a step that waited keeps its phase, by which it knows that it
-- wakes; an approval that nobody decided is decided as it was written down for that; a
-- pending run starts, unless others of its key have to end first. The run's own time goes
-- on from here.
-- $1 runs uuid[]   $2 numbers int4[]
with due as (
	select u.run, u.number, r.status as run_status, r.last_seq, r.paused_by,
	       x.concurrency_key is not null as limited
	  from unnest($1::uuid[], $2::int[]) u (run, number)
	 cross join lateral (
		select status, last_seq, paused_by from workflow_run_state
		 where execution_id = u.run and (status + 0 in (0, 1)
			or status + 0 = 2 and paused_by = 2) offset 0) r
	 cross join lateral (
		select concurrency_key from workflow_runs where id = u.run offset 0) x
), fired as (
	update workflow_steps s
	   set status = case when d.run_status = 0 and d.limited then 0 else 1 end,
	       ready_at = now(),
	       attempt_number = s.attempt_number + (s.status = 3)::int,
	       started_logged = s.started_logged and s.status <> 3,
	       started_at = case when s.status in (4, 5) then s.started_at end,
	       run_at = case when s.status = 5 and d.run_status = 1 then s.run_at end
	  from due d
	 where s.execution_id = any (array[d.run]) and s.step_number = d.number
	   and s.status + 0 in (3, 4, 5) and s.run_at <= now()
	returning d.run, d.run_status, d.last_seq, d.limited, s.step_number, s.queue,
		s.priority, s.status
), decided as (
	update workflow_approvals a
	   set status = case a.on_timeout when 1 then 1 when 2 then 2 else 3 end,
	       decided_at = now(), updated_at = now()
	  from fired f
	 where a.execution_id = any (array[f.run]) and a.step_number = f.step_number
	   and a.status + 0 = 0
	returning a.execution_id, a.step_number, a.id, a.status
), event as (
	select run, type, step_number, payload,
	       last_seq + row_number() over (partition by run order by ord, step_number) as seq
	  from (select distinct run, last_seq, 1 as ord, 1 as type, null::int as step_number,
		       null::jsonb as payload
		  from fired where run_status = 0 and not limited
		union all
		select distinct run, last_seq, 1, 11, null::int, null::jsonb from fired
		 where run_status = 2
		union all
		select d.execution_id, f.last_seq, 2, 9, d.step_number,
		       jsonb_build_object('approvalId', d.id, 'status',
			approval_status_name(d.status), 'by', null)
		  from decided d
		 cross join lateral (select last_seq from fired
			where run = d.execution_id limit 1) f) e
), log as (
	insert into workflow_events (execution_id, seq, step_number, type, payload)
	select run, seq, step_number, type, payload from event
), state as (
	update workflow_run_state r
	   set status = case when x.waits_for_others then r.status else 1 end,
	       paused_by = 0,
	       last_seq = r.last_seq + x.events,
	       deadline_at = case when not x.waits_for_others
			then coalesce(r.deadline_at, now() + r.budget_left) end,
	       budget_left = case when x.waits_for_others then r.budget_left end
	  from (select run, bool_and(run_status = 0 and limited) as waits_for_others,
		       (select count(*) from event where event.run = fired.run) as events
		  from fired group by run) x
	 where r.execution_id = any (array[x.run])
), run as (
	update workflow_runs r
	   set status = case when x.limited then r.status else 1 end,
	       run_at = case when x.limited then null else r.run_at end,
	       started_at = case when x.limited then r.started_at
			else coalesce(r.started_at, now()) end,
	       paused_at = null, updated_at = now()
	  from (select distinct run, run_status = 0 and limited as limited from fired
		 where run_status in (0, 2)) x
	 where r.id = any (array[x.run])
)
select run, step_number, queue, priority from fired where status = 1;
