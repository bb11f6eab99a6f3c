-- Files as a trigger last saw them.
-- $1 workflow uuid   $2 place int4
select path, mtime_ns, size, inode from watched_files
 where workflow_id = $1 and place = $2;
