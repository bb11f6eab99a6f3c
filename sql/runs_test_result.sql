-- What became of a step that is tested, as the answer's JSON but for its log: its run's
-- status, its output, why it failed, how long it took.
-- $1 run uuid   $2 step number int4
-- Answer: whether it is over, last event number, the JSON, the project's path, the log's.
select s.status >= 3, s.last_seq,
       jsonb_strip_nulls(jsonb_build_object('executionId', r.id,
		'status', upper(run_status_name(s.status)),
		'durationMs', t.duration_ms))::text,
       case when s.status >= 3 then t.output end::text,
       case when s.status >= 3 then coalesce(t.error, r.error) end::text,
       p.path, t.log_file_path
  from workflow_runs r
 cross join lateral (
	select status, last_seq from workflow_run_state
	 where execution_id = r.id offset 0) s
 cross join lateral (select path from projects where id = r.project_id offset 0) p
 cross join lateral (
	select output, error, duration_ms, log_file_path from v_steps
	 where execution_id = r.id and step_number = $2 offset 0) t
 where r.id = $1;
