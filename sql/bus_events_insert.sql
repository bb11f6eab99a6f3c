-- Something happened outside. Who waits for it is woken by event_waits_wake.sql, after this
-- is committed; where a trigger may want it, the scheduler is told.
-- $1 id uuid   $2 project uuid, or null: everybody's   $3 source text   $4 type text
-- $5 data jsonb
with event as (
	insert into bus_events (id, project_id, source, type, data, pending)
	values ($1, $2, $3, $4, $5, exists (select from workflow_triggers
		where kind = 'event' and type = $4))
	returning pending)
select pg_notify('stepmill_events', '') from event where pending;
