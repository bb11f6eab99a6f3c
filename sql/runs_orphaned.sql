-- Child runs that go on although nobody waits for them any more: the step that started
-- them, or its run, was cancelled, failed or timed out. One that was not to be waited for
-- goes on. Walks over all open runs, so it is asked seldom.
select s.execution_id
  from workflow_run_state s
 cross join lateral (
	select parent_run_id, parent_step from workflow_runs
	 where id = s.execution_id offset 0) r
 cross join lateral (
	select status from workflow_steps
	 where execution_id = r.parent_run_id and step_number = r.parent_step offset 0) q
 where s.status < 3 and q.status in (7, 9)
 limit 1000;
