-- Something happened outside. Who waits for it is woken by event_waits_wake.sql, after this
-- is committed.
-- $1 id uuid   $2 project uuid, or null: everybody's   $3 source text   $4 type text
-- $5 data jsonb
insert into bus_events (id, project_id, source, type, data) values ($1, $2, $3, $4, $5);
