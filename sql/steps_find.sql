-- A run and one of its steps: by number, or by its id in the file (the newest visit).
-- $1 id uuid (null)   $2 run number bigint (null)   $3 run id text (null)
-- $4 project uuid: no other's (null: any)
-- $5 step number int (null)   $6 step key text (null)
select v.id, p.path, s.step_number, s.log_file_path
  from (select id, project_id from stepmill.v_runs
	 where (id = $1 or (run_number = $2 and run_id = $3))
	   and ($4::uuid is null or project_id = $4)) v
  join stepmill.projects p on p.id = v.project_id
  left join lateral (select step_number, log_file_path from stepmill.v_steps
	where execution_id = v.id and (step_number = $5::int or step_key = $6::text)
	order by step_number desc limit 1) s on true;
