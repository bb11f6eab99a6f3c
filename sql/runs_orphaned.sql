-- Child runs that go on although nobody waits for them any more: the step that started
-- them was cancelled, failed or timed out. One that was not to be waited for goes on.
select r.id
  from workflow_runs r
 cross join lateral (
	select status from workflow_steps
	 where execution_id = r.parent_run_id and step_number = r.parent_step offset 0) q
 where r.parent_run_id is not null and r.status < 3 and q.status in (7, 9)
 limit 1000;
