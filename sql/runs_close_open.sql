-- Cancels what is still open of runs that have ended, after steps_finish.sql in its
-- transaction: what a step that led to the end left behind, and children of it. What had
-- started says so in the log, in front of the run's end, which is the last event still.
-- $1 runs uuid[]
with ended as (
	select execution_id, last_seq from workflow_run_state
	 where execution_id = any ($1::uuid[]) and status + 0 >= 3
), cut as (
	update workflow_steps s
	   set status = 9, worker_id = null, fence = s.fence + 1, completed_at = now()
	  from ended e
	 where s.execution_id = any (array[e.execution_id]) and s.status + 0 < 6
	returning e.execution_id, e.last_seq, s.step_number,
		s.started_logged or s.attempt_number > 1 as told
), void as (
	update workflow_approvals a set status = 4, updated_at = now()
	  from cut c
	 where a.execution_id = any (array[c.execution_id])
	   and a.step_number = c.step_number and a.status + 0 = 0
), told as (
	select execution_id, last_seq, step_number,
	       row_number() over (partition by execution_id order by step_number) as place,
	       count(*) over (partition by execution_id) as events
	  from cut where told and step_number > 0
), first as (
	update workflow_events v
	   set type = 7, step_number = t.step_number, payload = null
	  from told t
	 where t.place = 1 and v.execution_id = any (array[t.execution_id])
	   and v.seq = t.last_seq
), log as (
	insert into workflow_events (execution_id, seq, step_number, type, at, payload)
	select execution_id, last_seq + place - 1, step_number, 7, now(), null
	  from told where place > 1
	union all
	select v.execution_id, t.last_seq + t.events, null, v.type, v.at, v.payload
	  from told t cross join lateral (
		select execution_id, type, at, payload from workflow_events
		 where execution_id = t.execution_id and seq = t.last_seq offset 0) v
	 where t.place = 1
), state as (
	update workflow_run_state r set last_seq = r.last_seq + t.events
	  from told t
	 where t.place = 1 and r.execution_id = any (array[t.execution_id])
)
select count(*) from cut;
