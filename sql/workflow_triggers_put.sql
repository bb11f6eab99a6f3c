-- After workflow_triggers_drop.sql: those that are not there yet; the scheduler is told. A
-- path of another workflow is an error of the constraint workflow_triggers_path.
-- $1 name text   $2 project uuid, or null: everybody's
-- By place: $3 places int[]   $4 kinds text[]   $5 paths text[]   $6 sources text[]
-- $7 types text[]   $8 specs jsonb[]
insert into workflow_triggers (workflow_id, place, kind, path, source, type, spec)
select w.id, n.place, n.kind, n.path, n.source, n.type, n.spec
  from workflows w, unnest($3::int[], $4::text[], $5::text[], $6::text[], $7::text[],
	$8::jsonb[]) as n (place, kind, path, source, type, spec)
 where w.name = $1 and w.project_id is not distinct from $2
    on conflict (workflow_id, place) do nothing
returning pg_notify('stepmill_schedules', '');
