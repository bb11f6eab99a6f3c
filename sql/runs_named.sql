-- Of the runs named, those that are there.
-- $1 ids uuid[]   $2 run numbers bigint[]   $3 run ids text[] (of the numbers)
-- $4 project uuid: no other's (null: any)
select id, run_number
  from v_runs
 where (id = any ($1::uuid[]) or (run_number = any ($2::bigint[])
				  and run_id = any ($3::text[])))
   and ($4::uuid is null or project_id = $4)
 order by run_number;
