-- A page of bots as the answer's JSON, by slug.
-- $1 limit int   $2 offset int   $3 page int   $4 project uuid: of this one only (null: all)
-- $5 project uuid: of no other one, but of none (null: any)
with found as not materialized (
	select slug, doc from v_api_bots
	 where ($4::uuid is null or project_id = $4)
	   and ($5::uuid is null or project_id is null or project_id = $5)
)
select jsonb_build_object(
	'data', coalesce((select jsonb_agg(x.doc order by x.slug) from
		(select doc, slug from found order by slug limit $1::int offset $2::int) x), '[]'),
	'pagination', jsonb_build_object('page', $3::int, 'limit', $1::int,
		'total', (select count(*) from found), 'nextCursor', null))::text;
