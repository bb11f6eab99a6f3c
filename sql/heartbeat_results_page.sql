-- A page of what a heartbeat found as the answer's JSON, the newest first. A cursor is the
-- id of the last result of the page before. No row: there is no such heartbeat.
-- $1 id uuid   $2 slug text: one of them, the other null
-- $3 project uuid: of this one only (null: any)   $4 action needed bool (null: both)
-- $5 since timestamptz (null: all)   $6 limit int   $7 offset int   $8 page int
-- $9 cursor uuid
with beat as (
	select id from v_api_heartbeats
	 where (id = $1::uuid or slug = $2::text) and ($3::uuid is null or project_id = $3)
), found as not materialized (
	select id, at, doc from v_api_heartbeat_results
	 where schedule_id = (select id from beat)
	   and ($4::bool is null or action_needed = $4)
	   and ($5::timestamptz is null or at >= $5)
), page as (
	select id, at, doc from found f
	 where $9::uuid is null
	    or (f.at, f.id) < (select at, id from heartbeat_results where id = $9)
	 order by at desc, id desc limit $6::int offset $7::int
)
select jsonb_build_object(
	'data', coalesce((select jsonb_agg(doc order by at desc, id desc) from page), '[]'),
	'pagination', jsonb_build_object('page', $8::int, 'limit', $6::int,
		'total', (select count(*) from found),
		'nextCursor', (select case when count(*) = $6 then
			(select id from page order by at, id limit 1) end from page)))::text
  from beat;
