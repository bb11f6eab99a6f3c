-- A page of the audit log as the answer's JSON, newest first. A cursor is the id of the
-- last row of the page before; the total is counted to 10,000.
-- $1 who text   $2 what text   $3 target text   $4 since  $5 until timestamptz (null: any)
-- $6 cursor uuid (null: the first)   $7 limit int   $8 offset int   $9 page int
with found as (
	select id, jsonb_build_object('id', id, 'at', rfc3339(at), 'who', who, 'what', what,
		'target', target, 'ip', host(ip), 'details', details) as doc
	  from audit_log
	 where ($1::text is null or who = $1) and ($2::text is null or what = $2)
	   and ($3::text is null or target = $3)
	   and ($4::timestamptz is null or at >= $4)
	   and ($5::timestamptz is null or at < $5)
	   and ($6::uuid is null or id < $6)),
page as (select id, doc from found order by id desc limit $7 offset $8)
select jsonb_build_object(
	'data', coalesce((select jsonb_agg(doc order by id desc) from page), '[]'),
	'pagination', jsonb_build_object('page', $9::int, 'limit', $7::int,
		'total', (select count(*) from (select from found limit 10000) counted),
		'nextCursor', (select case when count(*) = $7
			then (array_agg(id order by id))[1]::text end from page)))::text;
