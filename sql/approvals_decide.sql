-- Somebody decides on a step that waits for it, after runs_lock.sql. The step is ready; a
-- run that was paused only for this goes on, one that a person paused does not.
-- $1 run uuid   $2 number int4   $3 status int2: 1 approved, 2 denied   $4 by text
-- $5 comment text, or null
-- No row: nothing is pending there. Else: run, its status after, last event number, step
-- number, queue and priority of what is ready (null: nothing yet).
with decided as (
	update workflow_approvals a
	   set status = $3, decided_by = $4, comment = $5, decided_at = now(),
	       updated_at = now()
	 where a.execution_id = $1 and a.step_number = $2 and a.status + 0 = 0
	returning a.id
), run as (
	select r.execution_id, r.last_seq, r.status, r.paused_by, d.id as approval,
	       uuid7() as comment_id,
	       r.status = 1 or r.paused_by = 2 as goes_on
	  from decided d
	 cross join lateral (
		select * from workflow_run_state
		 where execution_id = $1 and status + 0 in (1, 2) offset 0) r
), step as (
	update workflow_steps s
	   set status = case when r.goes_on then 1 else 0 end, ready_at = now(), run_at = null,
	       started_at = case when s.phase = 1 then null else s.started_at end
	  from run r
	 where s.execution_id = any (array[r.execution_id]) and s.step_number = $2
	   and s.status + 0 = 4
	returning s.queue, s.priority, s.step_number, s.step_key, r.goes_on
), event as (
	select r.execution_id, e.type, e.number, e.payload,
	       r.last_seq + row_number() over (order by e.ord) as seq
	  from run r cross join lateral (values
		(1, 9, $2, jsonb_build_object('approvalId', r.approval, 'status',
			approval_status_name($3), 'by', $4::text, 'comment', $5::text)),
		(2, 13, null, jsonb_build_object('commentId', r.comment_id)),
		(3, case when r.status = 2 and r.paused_by = 2 then 11 end, null, null)
		) e (ord, type, number, payload)
	 where e.type is not null
), comment as (
	insert into workflow_comments (id, execution_id, author, message)
	select r.comment_id, r.execution_id, 'stepmill', initcap(approval_status_name($3))
		|| coalesce(' by ' || $4, '') || ': ' || s.step_key || coalesce(': ' || $5, '')
	  from run r cross join step s
), log as (
	insert into workflow_events (execution_id, seq, step_number, type, payload)
	select execution_id, seq, number, type, payload from event
), state as (
	update workflow_run_state r
	   set last_seq = (select max(seq) from event),
	       status = case when x.goes_on then 1 else r.status end,
	       paused_by = case when x.goes_on then 0 else r.paused_by end,
	       deadline_at = case when x.goes_on
			then coalesce(r.deadline_at, now() + r.budget_left) end,
	       budget_left = case when x.goes_on then null else r.budget_left end
	  from run x
	 where r.execution_id = any (array[x.execution_id])
), runs as (
	update workflow_runs r set status = 1, paused_at = null, updated_at = now()
	  from run x
	 where r.id = any (array[x.execution_id]) and x.status = 2 and x.goes_on
)
select r.execution_id, case when r.goes_on then 1 else r.status end::int,
       (select max(seq) from event), s.step_number, s.queue, s.priority, s.goes_on
  from run r cross join step s;
