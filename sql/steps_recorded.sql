-- What is recorded of the steps of a program that was claimed. Those that were under way
-- come under the fence of this claim, so that what a former worker may still send of them
-- is refused.
-- $1 run uuid   $2 fence int4: of the program
-- Answer: number, key, parent, status, attempt, losses, made, output, error.
with taken as (
	update workflow_steps s set fence = $2
	 where s.execution_id = $1 and s.made is not null and s.worker_id is null
	   and s.status + 0 = 2 and s.fence <> $2
	   and exists (select from workflow_steps p
		where p.execution_id = $1 and p.step_number = -1 and p.fence = $2
		  and p.status + 0 = 2)
)
select step_number, step_key, coalesce(parent_step, 0), status::int, attempt_number::int,
       losses::int, made, output, error
  from workflow_steps
 where execution_id = $1 and step_number > 0 and made is not null
 order by execution_id, step_number;
