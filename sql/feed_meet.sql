-- Runs seen for the first time: where to begin in their logs (after what was logged before
-- a moment), and what subscriptions choose by. No row: no such run.
-- $1 runs uuid[]   $2 moment timestamptz
-- Answer: run, number to begin after, run over, over before that moment, workflow, project,
-- requested by.
select r.id, coalesce(before.seq, 0), s.status >= 3, coalesce(r.completed_at < $2, false),
       d.workflow_id, r.project_id, r.requested_by
  from unnest($1::uuid[]) asked (id)
  join stepmill.workflow_runs r on r.id = asked.id
  join stepmill.workflow_run_state s on s.execution_id = r.id
  join stepmill.workflow_definitions d on d.id = r.workflow_def_id
  left join lateral (
	select seq from stepmill.workflow_events
	 where execution_id = r.id and at < $2
	 order by seq desc limit 1) before on true;
