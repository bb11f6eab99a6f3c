-- A bot as the answer's JSON, by its id or slug. No row: there is none.
-- $1 id or slug text   $2 project uuid: of no other one, but of none (null: any)
select doc::text, id from v_api_bots
 where (id::text = $1 or slug = $1)
   and ($2::uuid is null or project_id is null or project_id = $2);
