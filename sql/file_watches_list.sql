-- Triggers that watch files, with the newest version of their workflows and the folder of
-- their project (everybody's watch that of the project "default"). since: null, what is
-- there has not been noted yet.
select t.workflow_id, t.place, w.name, d.id, w.project_id, p.path, t.spec::text,
       t.created_at, t.watched_since is not null
  from workflow_triggers t
  join workflows w on w.id = t.workflow_id
  join projects p on p.id = coalesce(w.project_id,
	'00000000-0000-7000-8000-000000000001'::uuid)
 cross join lateral (
	select id, is_active from workflow_definitions
	 where workflow_id = w.id and not is_test
	 order by version desc limit 1) d
 where t.kind = 'file_watch' and d.is_active
 order by t.workflow_id, t.place;
