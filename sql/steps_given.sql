-- Outputs that are given for steps of a run, as rows that are over: after runs_insert.sql
-- in its transaction. The first step to run comes after them.
-- $1 run uuid   $2 keys text[]   $3 outputs jsonb: {key: output}   $4 first step int4
with given as (
	insert into workflow_steps (execution_id, step_number, step_key, status, max_attempts,
		started_logged, output, started_at, completed_at)
	select $1, g.number, g.key, 6, 1, true, nullif($3::jsonb -> g.key, 'null'), now(),
	       now()
	  from unnest($2::text[]) with ordinality g (key, number)
), state as (
	update workflow_run_state r set current_step = $4 where r.execution_id = $1
)
update workflow_runs r set current_step = $4 where r.id = $1;
