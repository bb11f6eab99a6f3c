-- A page of runs as the answer's JSON, newest first (or oldest: sort). A cursor is the
-- number of the last run of the page before. Each of the two orders has its own branch, so
-- that it is walked by the index; what is not on the page is not made.
-- $1 statuses int2[] (empty: all)  $2 workflow id or name  $3 project uuid
-- $4 triggered_by text  $5 since  $6 until timestamptz  $7 q text
-- $8 oldest first bool  $9 limit int  $10 offset int  $11 page int  $12 cursor bigint
-- $13 project uuid: no other's (null: any)
with found as not materialized (
	select run_number, doc from stepmill.v_api_runs
	 where (cardinality($1::int2[]) = 0 or status_code = any ($1))
	   and ($2::text is null or workflow_def_id = any (array(
		select id from stepmill.workflow_definitions
		 where workflow_id::text = $2 or name = $2)))
	   and ($3::uuid is null or project_id = $3)
	   and ($13::uuid is null or project_id = $13)
	   and case when $4::text is null then triggered_by <> 'test'
		    else triggered_by = $4 end
	   and ($5::timestamptz is null or created_at >= $5)
	   and ($6::timestamptz is null or created_at < $6)
	   and ($7::text is null or strpos(lower(run_id), lower($7)) > 0)
	   and ($12::bigint is null or case when $8 then run_number > $12
					    else run_number < $12 end)),
page as (
	(select * from found where not $8 order by run_number desc limit $9::int offset $10::int)
	union all
	(select * from found where $8 order by run_number limit $9::int offset $10::int))
select jsonb_build_object(
	'data', coalesce((select jsonb_agg(doc
		order by case when $8 then run_number else -run_number end) from page), '[]'),
	'pagination', jsonb_build_object('page', $11::int, 'limit', $9::int,
		'total', (select count(*) from (select from found limit 10000) counted),
		'nextCursor', (select case when count(*) = $9 then
			(case when $8 then max(run_number) else min(run_number) end)::text end
			from page)))::text;
