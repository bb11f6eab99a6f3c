-- A heartbeat as the answer's JSON, by its id or slug. No row: there is none.
-- $1 id uuid   $2 slug text: one of them, the other null
-- $3 project uuid: of this one only (null: any)
select doc::text, id from v_api_heartbeats
 where (id = $1::uuid or slug = $2::text) and ($3::uuid is null or project_id = $3);
