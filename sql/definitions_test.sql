-- The definition that a step is tested in, the same one for the same content. Those of
-- this workflow that nobody used for an hour and that no run is of are deleted meanwhile.
-- $1 id uuid (of a new one)   $2 workflow uuid   $3 version int4: that it was made from
-- $4 source text   $5 config jsonb   $6 checksum text
with idle as (
	delete from workflow_definitions d
	 where d.id = any (array(
		select t.id from workflow_definitions t
		 where t.workflow_id = $2 and t.is_test and t.checksum <> $6
		   and t.updated_at < now() - interval '1 hour'
		   and not exists (select from workflow_runs r
			where r.workflow_def_id = t.id)
		 limit 100))
	   and d.updated_at < now() - interval '1 hour'
)
insert into workflow_definitions as d (id, workflow_id, name, version, source, config,
	checksum, project_id, is_active, is_test)
select $1, w.id, w.name, $3, $4, $5, $6, w.project_id, false, true
  from workflows w where w.id = $2
    on conflict (workflow_id, checksum) where is_test
    do update set updated_at = now(), version = excluded.version
returning d.id;
