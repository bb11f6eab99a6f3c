-- Before a project is deleted: no run of it is begun meanwhile, and the oldest that are
-- there are locked in order. A statement of its own, so that the next one sees what it
-- waited for.
-- $1 id uuid   $2 how many runs int
with project as materialized (
	select id from projects where id = $1 for update
)
select count(*) from (
	select execution_id from workflow_run_state
	 where execution_id in (select r.id from workflow_runs r
		 where r.project_id = (select id from project) order by r.id limit $2::int)
	 order by execution_id for no key update) locked;
