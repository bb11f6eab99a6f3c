-- Runs that nothing can move: they run, yet none of their steps is open. Walks over all
-- open runs, so it is asked seldom.
select r.execution_id from workflow_run_state r
  left join lateral (
	select true as open from workflow_steps s
	 where s.execution_id = r.execution_id and s.status + 0 < 6 limit 1) s on true
 where r.status < 3 and r.status + 0 = 1 and s.open is null
 order by r.deadline_at limit 100;
