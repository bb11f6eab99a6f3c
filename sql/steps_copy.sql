-- What a run takes over from one that failed: rows that are over stay as they are. After
-- runs_insert.sql in its transaction; the rows that are to run again are made there.
-- $1 new run uuid   $2 old run uuid   $3 numbers int4[]
with copied as (
	insert into workflow_steps (execution_id, step_number, step_key, status, priority,
		attempt_number, max_attempts, losses, fence, remaining_needs, parent_step,
		item_index, iteration, phase, started_logged, created_at, ready_at, started_at,
		completed_at, queue, input, output, error, item)
	select $1, step_number, step_key, status, priority, attempt_number, max_attempts,
	       losses, fence, remaining_needs, parent_step, item_index, iteration, phase,
	       true, created_at, ready_at, started_at, completed_at, queue, input, output,
	       error, item
	  from workflow_steps where execution_id = $2 and step_number = any ($3::int[])
	   and status + 0 >= 6
	returning step_number
)
update workflow_runs r set state = o.state, branch_name = o.branch_name,
       commit_sha = o.commit_sha, pr_url = o.pr_url
  from workflow_runs o
 where r.id = $1 and o.id = $2 and (select count(*) from copied) >= 0;
