-- A page of a schedule's ledger as the answer's JSON, newest first (or oldest: sort). A
-- cursor is the time of the last firing of the page before, in microseconds. No row: there
-- is no such schedule.
-- $1 id uuid   $2 slug text: one of them, the other null
-- $3 project uuid: of this one only (null: any)   $4 outcome text (null: all)
-- $5 oldest first bool   $6 limit int   $7 offset int   $8 page int   $9 cursor bigint
with schedule as materialized (
	select id from schedules
	 where (id = $1::uuid or slug = $2::text) and ($3::uuid is null or project_id = $3)
), found as not materialized (
	select fire_time, doc from v_api_firings
	 where schedule_id = (select id from schedule)
	   and ($4::text is null or outcome = $4)
), rest as not materialized (
	select fire_time, doc from found
	 where $9::bigint is null
	    or case when $5 then fire_time > to_timestamp(0) + $9 * interval '1 microsecond'
		    else fire_time < to_timestamp(0) + $9 * interval '1 microsecond' end
), page as (
	(select * from rest where not $5 order by fire_time desc limit $6::int offset $7::int)
	union all
	(select * from rest where $5 order by fire_time limit $6::int offset $7::int)
)
select jsonb_build_object(
	'data', coalesce((select jsonb_agg(doc order by case when $5 then fire_time end,
		fire_time desc) from page), '[]'),
	'pagination', jsonb_build_object('page', $8::int, 'limit', $6::int,
		'total', (select count(*) from (select from found limit 10000) counted),
		'nextCursor', (select case when count(*) = $6 then
			(extract(epoch from case when $5 then max(fire_time)
				else min(fire_time) end) * 1000000)::bigint::text end
			from page)))::text
  from schedule;
