-- The text of a definition, as it was registered. One row always: the source is null
-- where there is no such definition.
-- $1 id uuid
select $1::uuid,
       (select source from stepmill.workflow_definitions where id = $1);
