-- A paused run goes on, or a crashed one begins again where it stood, after runs_lock.sql.
-- What was ready is ready again; of a crashed run also what its crash had cut off: what was
-- to be tried again later, or waits for a time or for a child run that still goes on, does
-- so as before; who waits for an event looks for it, and what was asked is asked anew; items
-- whose turn has not come stay where they were, and what a program carried out is not begun.
-- A run that waits for an approval goes on by that, not by this.
-- $1 run uuid   $2 by text
-- No row: no such run. Else for each step that is ready (one row with nulls: none): run,
-- status before and after, last event number, whether it goes on, step, queue, priority.
with run as (
	select s.execution_id, s.status, s.last_seq, r.completed_at, r.config,
	       uuid7() as comment_id,
	       s.status = 2 and s.paused_by = 1 or s.status = 7 as resumes
	  from workflow_run_state s
	 cross join lateral (
		select completed_at, (select config from workflow_definitions
			where id = workflow_def_id) as config
		  from workflow_runs where id = s.execution_id offset 0) r
	 where s.execution_id = $1
), plan as (
	select s.execution_id, s.step_number, case
		when r.status = 7 and s.made is not null
			and s.made ->> 'action' not in ('wait', 'approval', 'workflow') then 0
		when s.remaining_needs > 0 then case when s.phase = 3 then 5 else 0 end
		when s.item is not null and s.ready_at is null then 0
		when r.status = 2 then 1
		when s.phase = 0 and s.run_at > now() then 3
		when s.phase = 2 and exists (select from workflow_runs c
			where c.parent_run_id = s.execution_id and c.parent_step = s.step_number
			  and c.status + 0 < 3) then 5
		when s.phase = 2 and s.run_at > now()
			and not exists (select from workflow_approvals a
				where a.execution_id = s.execution_id
				  and a.step_number = s.step_number
				  and a.updated_at = r.completed_at)
			and coalesce(s.made #> '{fields,event}', 'null') = 'null'
			and not jsonb_path_exists(r.config,
				'$.steps[*] ? (@.id == $key).event',
				jsonb_build_object('key', s.step_key)) then 5
		else 1 end as becomes
	  from run r cross join workflow_steps s
	 where r.resumes and s.execution_id = any (array[r.execution_id])
	   and (r.status = 2 and s.status + 0 = 0 and s.ready_at is not null
		or r.status = 7 and s.status + 0 = 9 and s.completed_at = r.completed_at)
), step as (
	update workflow_steps s
	   set status = p.becomes,
	       ready_at = case when p.becomes = 1 then now() else s.ready_at end,
	       completed_at = null
	  from plan p
	 where s.execution_id = any (array[p.execution_id]) and s.step_number = p.step_number
	returning s.step_number, s.queue, s.priority, s.status
), comment as (
	insert into workflow_comments (id, execution_id, author, message)
	select comment_id, execution_id, 'stepmill', 'Resumed' || coalesce(' by ' || $2, '')
	  from run where resumes
), log as (
	insert into workflow_events (execution_id, seq, type, payload)
	select r.execution_id, r.last_seq + e.ord, e.type, e.payload
	  from run r cross join lateral (values
		(1, 11, jsonb_build_object('by', $2::text)),
		(2, 13, jsonb_build_object('commentId', r.comment_id))) e (ord, type, payload)
	 where r.resumes
), state as (
	update workflow_run_state r
	   set status = 1, paused_by = 0, last_seq = r.last_seq + 2,
	       deadline_at = now() + coalesce(r.budget_left, w.timeout), budget_left = null
	  from run x
	 cross join lateral (
		select timeout from workflow_runs where id = x.execution_id offset 0) w
	 where x.resumes and r.execution_id = any (array[x.execution_id])
), runs as (
	update workflow_runs r
	   set status = 1, paused_at = null, completed_at = null, error = null,
	       updated_at = now()
	  from run x
	 where x.resumes and r.id = any (array[x.execution_id])
)
select r.execution_id, r.status::int, case when r.resumes then 1 else r.status end::int,
       case when r.resumes then r.last_seq + 2 else r.last_seq end, r.resumes,
       s.step_number, s.queue, s.priority
  from run r left join step s on s.status = 1;
