-- Whoever configures a heartbeat is told what it finds, and its runs use what that key may.
-- $1 id uuid   $2 created by text   $3 tools jsonb
update schedules set created_by = $2, tools = $3 where id = $1 and kind = 'heartbeat';
