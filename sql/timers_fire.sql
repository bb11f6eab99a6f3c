-- Makes those of the named steps ready whose time has come, after runs_lock.sql. A retry
-- is the next attempt; a step that waited keeps its run_at, by which the claim knows that
-- it wakes; a pending run starts. The run's own time goes on from here.
-- $1 runs uuid[]   $2 numbers int4[]
with due as (
	select u.run, u.number, r.status as run_status, r.last_seq
	  from unnest($1::uuid[], $2::int[]) u (run, number)
	 cross join lateral (
		select status, last_seq from workflow_run_state
		 where execution_id = u.run and status + 0 in (0, 1) offset 0) r
), fired as (
	update workflow_steps s
	   set status = 1, ready_at = now(),
	       attempt_number = s.attempt_number + (s.status = 3)::int,
	       started_logged = s.started_logged and s.status <> 3,
	       started_at = case when s.status = 5 then s.started_at end,
	       run_at = case when s.status = 5 and d.run_status = 1 then s.run_at end
	  from due d
	 where s.execution_id = any (array[d.run]) and s.step_number = d.number
	   and s.status + 0 in (3, 5) and s.run_at <= now()
	returning d.run, d.run_status, d.last_seq, s.step_number, s.queue, s.priority
), log as (
	insert into workflow_events (execution_id, seq, type)
	select distinct run, last_seq + 1, 1 from fired where run_status = 0
), state as (
	update workflow_run_state r
	   set status = 1, last_seq = r.last_seq + x.begins,
	       deadline_at = coalesce(r.deadline_at, now() + r.budget_left),
	       budget_left = null
	  from (select run, max((run_status = 0)::int) as begins from fired group by run) x
	 where r.execution_id = any (array[x.run])
), run as (
	update workflow_runs r set status = 1, started_at = now(), updated_at = now()
	  from (select distinct run from fired where run_status = 0) x
	 where r.id = any (array[x.run])
)
select run, step_number, queue, priority from fired;
