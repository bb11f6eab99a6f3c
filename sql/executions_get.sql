-- One run with everything that belongs to it; by id or run id. No row: no such run. Then
-- its id, its status, and the path of its project.
-- $1 id uuid (null)   $2 run number bigint (null)   $3 run id text (null)
-- $4 project uuid: no other's (null: any)
select (r.doc || jsonb_build_object(
	'steps', coalesce((select jsonb_agg(s.doc order by s.step_number)
		from (select doc, step_number from stepmill.v_api_steps
		       where execution_id = r.id order by step_number limit 10000) s), '[]'),
	'comments', coalesce((select jsonb_agg(c.doc order by c.created_at, c.id)
		from stepmill.v_api_comments c where c.execution_id = r.id), '[]'),
	'artifacts', coalesce((select jsonb_agg(a.doc order by a.created_at, a.id)
		from stepmill.v_api_artifacts a where a.execution_id = r.id), '[]'),
	'approvals', coalesce((select jsonb_agg(p.doc order by p.id)
		from stepmill.v_api_approvals p where p.execution_id = r.id), '[]'),
	'agentSessions', coalesce((select jsonb_agg(a.doc order by a.created_at, a.id)
		from (select doc, created_at, id from stepmill.v_api_sessions
		       where execution_id = r.id
		       order by created_at, id limit 1000) a), '[]'),
	'usage', stepmill.usage_of_run(r.id)))::text,
       r.id, r.status_code,
       (select path from stepmill.projects p where p.id = r.project_id)
  from stepmill.v_api_runs r
 where (r.id = $1 or (r.run_number = $2 and r.run_id = $3))
   and ($4::uuid is null or r.project_id = $4);
