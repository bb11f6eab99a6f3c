-- A page of heartbeats as the answer's JSON, the oldest first.
-- $1 enabled bool (null: both)   $2 limit int   $3 offset int   $4 page int
-- $5 project uuid: of this one only (null: all)   $6 project uuid: no other's (null: any)
with seen as (
	select id, doc from v_api_heartbeats
	 where ($1::bool is null or enabled = $1)
	   and ($5::uuid is null or project_id = $5)
	   and ($6::uuid is null or project_id = $6))
select jsonb_build_object(
	'data', coalesce((select jsonb_agg(x.doc order by x.id) from
		(select doc, id from seen order by id limit $2::int offset $3::int) x), '[]'),
	'pagination', jsonb_build_object('page', $4::int, 'limit', $2::int,
		'total', (select count(*) from seen), 'nextCursor', null))::text;
