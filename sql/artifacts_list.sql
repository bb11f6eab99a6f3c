-- Artifacts of a run as the answer's JSON.
-- $1 execution uuid   $2 step number int (null)   $3 type text (null)
select jsonb_build_object('data', coalesce(jsonb_agg(doc order by created_at, id), '[]'))::text
  from stepmill.v_api_artifacts
 where execution_id = $1 and ($2::int is null or step_number = $2)
   and ($3::text is null or type = $3);
