-- A page of the runs whose logs may have grown: those made since a moment (their ids are
-- times; who made them may have another clock, hence the 10 s), and those not over.
-- $1 moment timestamptz, or null: only those not over
-- $2 of the new ones those after this id uuid   $3 of the others after this id uuid
-- $4 most of each int4
-- Answer: id, whether it is of the new ones. The first row is now, with a null id.
select null::uuid, null::bool, now()
union all
(select id, true, null
   from stepmill.workflow_runs
  where id >= stepmill.uuid_at($1::timestamptz - interval '10 s') and id > $2
  order by id limit $4)
union all
(select execution_id, false, null
   from (select execution_id from stepmill.workflow_run_state where status < 3
	 offset 0) s
  where execution_id > $3
  order by execution_id limit $4);
