-- What a run takes over from one that failed: rows that are over stay as they are. After
-- runs_insert.sql in its transaction; the rows that are to run again are made there. What
-- a program asked for and did not succeed is not begun: the program asks for it again.
-- $1 new run uuid   $2 old run uuid   $3 numbers int4[]
with copied as (
	insert into workflow_steps (execution_id, step_number, step_key, status, priority,
		attempt_number, max_attempts, losses, fence, remaining_needs, parent_step,
		item_index, iteration, phase, started_logged, created_at, ready_at, started_at,
		completed_at, queue, input, output, error, item, made)
	select $1, step_number, step_key, case when anew then 0 else status end, priority,
	       case when anew then 1 else attempt_number end, max_attempts,
	       case when anew then 0 else losses end, case when anew then 0 else fence end,
	       remaining_needs, parent_step,
	       item_index, iteration, case when anew then 0 else phase end, not anew,
	       created_at, case when not anew then ready_at end,
	       case when not anew then started_at end,
	       case when not anew then completed_at end, queue, input,
	       case when not anew then output end, case when not anew then error end, item,
	       made
	  from workflow_steps
	 cross join lateral (select made is not null and status + 0 <> 6 as anew) a
	 where execution_id = $2 and step_number = any ($3::int[]) and status + 0 >= 6
	returning step_number
)
update workflow_runs r set state = o.state, branch_name = o.branch_name,
       commit_sha = o.commit_sha, pr_url = o.pr_url
  from workflow_runs o
 where r.id = $1 and o.id = $2 and (select count(*) from copied) >= 0;
