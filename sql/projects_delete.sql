-- A project goes with its runs (first), then its workflows, definitions and what else
-- belongs to it; after projects_lock.sql. "default" is an error of the constraint
-- projects_default (a trigger's). No row: there is none, or a run of it is alive.
-- $1 id uuid
delete from projects
 where id = $1 and not exists (
	select from workflow_run_state s join workflow_runs r on r.id = s.execution_id
	 where s.status < 3 and r.project_id = $1)
returning name;
