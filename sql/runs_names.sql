-- How people call these runs and their workflows; for the log.
-- $1 runs uuid[]
select id, run_id, workflow_name from v_runs where id = any ($1::uuid[]);
