-- Of a workflow just registered, and locked by that: the schedules that its file no longer
-- declares go, with their ledger.
-- $1 name text   $2 project uuid, or null: everybody's   $3 places int[] that it declares
delete from schedules s using workflows w
 where w.name = $1 and w.project_id is not distinct from $2 and s.declared_by = w.id
   and s.declared_place <> all ($3::int[])
returning pg_notify('stepmill_schedules', '');
