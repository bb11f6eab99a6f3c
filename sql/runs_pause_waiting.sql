-- Pauses those of the runs of which nothing is left to run until somebody decides: after
-- what asked, or ended the last other step, in its transaction.
-- $1 runs uuid[]
with waiting as (
	select execution_id, last_seq from workflow_run_state r
	 where execution_id = any ($1::uuid[]) and status + 0 = 1
	   and case when (select count(*) from workflow_approvals a
			where a.execution_id = any (array[r.execution_id])
			  and a.status + 0 = 0) = 0 then false
		else (select count(*) from workflow_steps s
			where s.execution_id = any (array[r.execution_id])
			  and (s.status + 0 in (1, 2, 3)
				or s.status + 0 = 5 and s.phase <> 3)) = 0 end
), log as (
	insert into workflow_events (execution_id, seq, type, payload)
	select execution_id, last_seq + 1, 10, jsonb_build_object('reason', 'approval')
	  from waiting
), state as (
	update workflow_run_state r
	   set status = 2, paused_by = 2, last_seq = r.last_seq + 1, deadline_at = null,
	       budget_left = coalesce(r.deadline_at - now(), r.budget_left)
	  from waiting w
	 where r.execution_id = any (array[w.execution_id])
)
update workflow_runs r set status = 2, paused_at = now(), updated_at = now()
  from waiting w
 where r.id = any (array[w.execution_id]);
