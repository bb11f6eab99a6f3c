-- A schedule by its id or slug is locked until the transaction ends, before
-- schedules_find.sql: a statement of its own, so that what that one reads, of the last run
-- too, is what was committed by whoever had the lock before.
-- $1 id uuid   $2 slug text: one of them, the other null
-- $3 project uuid: of this one only (null: any)
select id from schedules
 where (id = $1::uuid or slug = $2::text) and ($3::uuid is null or project_id = $3)
   for no key update;
