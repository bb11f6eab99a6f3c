-- The heartbeat of a file, by which it is configured again.
-- $1 project uuid   $2 path text
-- Answer: slug. No row: there is none yet.
select slug from schedules where project_id = $1 and heartbeat_path = $2;
