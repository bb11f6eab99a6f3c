-- A page of workflows, the newest version of each, as the answer's JSON.
-- $1 active bool (null: all)   $2 limit int   $3 offset int   $4 page int
select jsonb_build_object(
	'data', coalesce((select jsonb_agg(x.doc order by x.name) from
		(select doc, name from stepmill.v_api_workflows
		  where newest and ($1::bool is null or is_active = $1)
		  order by name limit $2 offset $3) x), '[]'),
	'pagination', jsonb_build_object('page', $4::int, 'limit', $2::int,
		'total', (select count(*) from stepmill.v_api_workflows
			   where newest and ($1::bool is null or is_active = $1)),
		'nextCursor', null))::text;
