-- Steps with a time: to be tried again, waiting, or of a run that is to start later.
-- $1 until timestamptz   $2 most int4
select execution_id, step_number, run_at from workflow_steps
 where status in (3, 4, 5) and run_at <= $1
 order by run_at limit $2;
