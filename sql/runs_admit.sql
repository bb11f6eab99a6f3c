-- Lets so many pending runs of a key begin, oldest first, as others have ended. After
-- runs_admit_lock.sql. What of them waits for this is ready.
-- $1 key text
-- Answer: run, number, queue, priority of what is ready.
with candidate as (
	select r.id, r.concurrency_limit,
	       row_number() over (order by r.id) + (
		select count(*) from workflow_runs
		 where concurrency_key = $1 and status in (1, 2)) as place
	  from (select id, concurrency_limit from workflow_runs
		 where concurrency_key = $1 and status = 0
		   and (run_at is null or run_at <= now()) offset 0) r
	 order by r.id limit 100
), admitted as materialized (
	select c.id, s.last_seq
	  from candidate c
	 cross join lateral (
		select last_seq from workflow_run_state
		 where execution_id = c.id and status + 0 = 0 offset 0) s
	 where c.place <= c.concurrency_limit
	   and (select count(*) from workflow_steps
		where execution_id = any (array[c.id]) and status + 0 = 0
		  and ready_at is not null) > 0
), ready as (
	update workflow_steps s set status = 1, ready_at = now()
	  from admitted a
	 where s.execution_id = any (array[a.id]) and s.status + 0 = 0
	   and s.ready_at is not null
	returning s.execution_id, s.step_number, s.queue, s.priority
), state as (
	update workflow_run_state r
	   set status = 1, last_seq = r.last_seq + 1, deadline_at = now() + r.budget_left,
	       budget_left = null
	  from admitted a
	 where r.execution_id = any (array[a.id])
), run as (
	update workflow_runs r set status = 1, started_at = now(), updated_at = now()
	  from admitted a
	 where r.id = any (array[a.id])
), log as (
	insert into workflow_events (execution_id, seq, type)
	select id, last_seq + 1, 1 from admitted
)
select execution_id, step_number, queue, priority from ready;
