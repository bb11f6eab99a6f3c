-- A page of schedules as the answer's JSON, the oldest first (or the newest: sort). A cursor
-- is the id of the last schedule of the page before; ids are times.
-- $1 kind text (null: both)   $2 workflow id or name text   $3 enabled bool   $4 name text
-- $5 newest first bool   $6 limit int   $7 offset int   $8 page int   $9 cursor uuid
-- $10 project uuid: of this one only (null: all)   $11 project uuid: no other's (null: any)
with found as not materialized (
	select id, doc from v_api_schedules
	 where ($1::text is null or kind = $1)
	   and ($2::text is null or workflow_id in (
		select w.id from workflows w where w.id::text = $2 or w.name = $2))
	   and ($3::bool is null or enabled = $3)
	   and ($4::text is null or name = $4)
	   and ($10::uuid is null or project_id = $10)
	   and ($11::uuid is null or project_id = $11)
), rest as not materialized (
	select id, doc from found
	 where $9::uuid is null or case when $5 then id < $9 else id > $9 end
), page as (
	(select * from rest where not $5 order by id limit $6::int offset $7::int)
	union all
	(select * from rest where $5 order by id desc limit $6::int offset $7::int)
)
select jsonb_build_object(
	'data', coalesce((select jsonb_agg(doc order by case when $5 then null else id end,
		id desc) from page), '[]'),
	'pagination', jsonb_build_object('page', $8::int, 'limit', $6::int,
		'total', (select count(*) from found),
		'nextCursor', (select case when count(*) = $6 then
			case when $5 then min(id::text) else max(id::text) end end from page)))::text;
