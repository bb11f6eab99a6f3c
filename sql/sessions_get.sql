-- One session as the answer's JSON. No row: there is none.
-- $1 id uuid   $2 project uuid: no other's (null: any)
select doc::text from v_api_sessions a
 where a.id = $1::uuid
   and ($2::uuid is null or exists (select from workflow_runs r
	where r.id = a.execution_id and r.project_id = $2));
