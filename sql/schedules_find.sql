-- A schedule by its id or slug, after schedules_lock.sql, and what a change of it must know.
-- No row: there is none.
-- $1 id uuid   $2 slug text: one of them, the other null
-- $3 project uuid: of this one only (null: any)
-- Answer: id, its JSON, created at, next run, tools, project, the workflow that declares it:
-- its name, its file; run count; whether its last run is alive.
select s.id, a.doc, s.created_at, s.next_run_at, s.tools, s.project_id, d.name, d.file_path,
       s.run_count, exists (select from workflow_run_state
		where execution_id = s.last_run_id and status + 0 < 3)
  from schedules s
  join v_api_schedules a on a.id = s.id
  left join lateral (
	select name, file_path from workflow_definitions
	 where workflow_id = s.declared_by and not is_test
	 order by version desc limit 1) d on true
 where (s.id = $1::uuid or s.slug = $2::text)
   and ($3::uuid is null or s.project_id = $3);
