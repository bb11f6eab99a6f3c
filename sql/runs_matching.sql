-- Runs that a bulk action is for, oldest first, one more than asked for to tell that there
-- are more: those that can be cancelled, or that failed in some way and can be retried.
-- $1 statuses int2[]: of these only   $2 workflow id or name   $3 project uuid
-- $4 triggered_by text   $5 since  $6 until timestamptz  $7 q text   (each null: all)
-- $8 number of the last run of the call before bigint (null: the first call)
-- $9 limit int   $10 project uuid: no other's (null: any)
select id, run_number
  from v_runs
 where status_code = any ($1::int2[])
   and ($2::text is null or workflow_def_id = any (array(
		select id from stepmill.workflow_definitions
		 where workflow_id::text = $2 or name = $2)))
   and ($3::uuid is null or project_id = $3)
   and case when $4::text is null then triggered_by <> 'test'
	    else triggered_by = $4 end
   and ($5::timestamptz is null or created_at >= $5)
   and ($6::timestamptz is null or created_at < $6)
   and ($7::text is null or strpos(lower(run_id), lower($7)) > 0)
   and ($8::bigint is null or run_number > $8)
   and ($10::uuid is null or project_id = $10)
 order by run_number
 limit $9::int + 1;
