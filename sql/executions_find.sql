-- Where a run is: its id, status, last seq and project's path. No row: no such run.
-- $1 id uuid (null)   $2 run number bigint (null)   $3 run id text (null)
-- $4 project uuid: no other's (null: any)
select v.id, s.status, s.last_seq, p.path, v.run_id
  from (select id, run_id, project_id from stepmill.v_runs
	 where (id = $1 or (run_number = $2 and run_id = $3))
	   and ($4::uuid is null or project_id = $4)) v
  join stepmill.workflow_run_state s on s.execution_id = v.id
  join stepmill.projects p on p.id = v.project_id;
