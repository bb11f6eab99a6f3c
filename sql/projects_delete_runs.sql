-- The oldest runs of a project go, after projects_lock.sql; none while one of all is alive.
-- $1 id uuid   $2 how many runs int
-- Answer: whether one is alive; how many went.
with alive as materialized (
	select exists (
		select from workflow_run_state s join workflow_runs r on r.id = s.execution_id
		 where s.status < 3 and r.project_id = $1) as any_is
), gone as (
	delete from workflow_runs
	 where id = any (array(select r.id from workflow_runs r
		 where r.project_id = $1 order by r.id limit $2::int))
	   and not (select any_is from alive)
	returning 1
)
select (select any_is from alive), (select count(*) from gone);
