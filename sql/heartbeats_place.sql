-- The project whose file a heartbeat's path names: the one that is said; else the one
-- whose folder an absolute path lies in, the innermost; else "default".
-- $1 project uuid (null: not said)   $2 path text
-- Answer: project, its path, the workflow that goes through heartbeats (null: it is not
-- registered yet). No row: there is no such project.
select p.id, p.path, (select w.id from workflows w
	 where w.name = 'stepmill.heartbeat' and w.project_id is null)
  from projects p
 cross join lateral (select starts_with($2::text, rtrim(p.path, '/') || '/') as it) holds
 where case when $1::uuid is null then p.name = 'default' or holds.it
	    else p.id = $1 end
 order by holds.it desc, length(p.path) desc
 limit 1;
