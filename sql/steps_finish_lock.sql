-- Before steps_finish.sql, in the same transaction: the worker's own row, then the state
-- rows of its runs in order of id. A statement of its own, so that the next one sees
-- everything that was committed before these locks were ours.
-- $1 worker uuid   $2 session int8   $3 runs uuid[]
with alive as materialized (
	select session is not distinct from $2 as mine from workers
	 where id = $1 and status + 0 = 1 for key share
)
select count(*) > 0 as alive, coalesce(bool_or(a.mine), false) as mine
  from alive a
  left join lateral (
	select execution_id from workflow_run_state where execution_id = any ($3::uuid[])
	 order by execution_id for no key update) r on a.mine;
