-- Runs seen for the first time: where to begin in their logs (after what was logged before
-- a moment), and what subscriptions choose by. No row: no such run.
-- $1 runs uuid[]   $2 moment timestamptz
-- Answer: run, number to begin after, run over, over before that moment, workflow, project,
-- requested by, made at.
select r.id, coalesce(b.seq, 0), s.status >= 3, coalesce(r.completed_at < $2, false),
       d.workflow_id, r.project_id, r.requested_by, r.created_at
  from unnest($1::uuid[]) asked (id)
 cross join lateral (
	select id, workflow_def_id, project_id, requested_by, created_at, completed_at
	  from stepmill.workflow_runs where id = asked.id offset 0) r
 cross join lateral (
	select status from stepmill.workflow_run_state
	 where execution_id = asked.id offset 0) s
 cross join lateral (
	select workflow_id from stepmill.workflow_definitions
	 where id = r.workflow_def_id offset 0) d
  left join lateral (
	select seq from stepmill.workflow_events
	 where execution_id = asked.id and at < $2
	 order by seq desc limit 1) b on true;
