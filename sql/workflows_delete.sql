-- A workflow goes with all its versions. While there are runs of it, that is an error of
-- the constraint workflow_runs_definition (a trigger's). No row: there is no such workflow.
-- $1 workflow uuid
delete from workflows where id = $1 returning name;
