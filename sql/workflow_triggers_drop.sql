-- Of a workflow just registered, and locked by that: its triggers that the file no longer
-- has so, but for schedules. The scheduler is told when there were some.
-- $1 name text   $2 project uuid, or null: everybody's   $3 places int[]   $4 specs jsonb[]
delete from workflow_triggers t using workflows w
 where w.name = $1 and w.project_id is not distinct from $2 and t.workflow_id = w.id
   and not exists (select from unnest($3::int[], $4::jsonb[]) as n (place, spec)
	where n.place = t.place and n.spec = t.spec)
returning pg_notify('stepmill_schedules', '');
