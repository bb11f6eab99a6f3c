-- The branch that a project's work goes into.
-- $1 project uuid
select default_branch from projects where id = $1;
