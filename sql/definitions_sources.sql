-- The texts of definitions, as they were registered.
-- $1 ids uuid[]
select id, source from workflow_definitions where id = any ($1::uuid[]);
