-- A page of workflows, the newest version of each, as the answer's JSON.
-- $1 active bool (null: all)   $2 limit int   $3 offset int   $4 page int
-- $5 project uuid: its own and everybody's only (null: any)
with seen as (
	select doc, name from stepmill.v_api_workflows
	 where newest and ($1::bool is null or is_active = $1)
	   and ($5::uuid is null or project_id is null or project_id = $5))
select jsonb_build_object(
	'data', coalesce((select jsonb_agg(x.doc order by x.name) from
		(select doc, name from seen order by name limit $2 offset $3) x), '[]'),
	'pagination', jsonb_build_object('page', $4::int, 'limit', $2::int,
		'total', (select count(*) from seen),
		'nextCursor', null))::text;
