-- A bot goes, after bots_lock.sql; what was said stays.
-- $1 id uuid
delete from bots where id = $1 returning slug;
