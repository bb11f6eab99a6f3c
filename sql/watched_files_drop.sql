-- Files that are gone.
-- $1 workflow uuid   $2 place int4   $3 paths text[]
delete from watched_files
 where workflow_id = $1 and place = $2 and path = any ($3::text[]);
