-- A page of sessions with models, agents and bots as the answer's JSON, the newest first. A
-- cursor is the id of the last session of the page before; the total is counted to 10,000.
-- The run: $1 id uuid (null)   $2 run number bigint (null)   $3 run id text (null)
-- $4 project uuid: no other's (null: any)   $5 of that run only bool   $6 type text (null: all)
-- $7 bot uuid, on either side (null: all)   $8 limit int   $9 offset int   $10 page int
-- $11 cursor uuid
with found as not materialized (
	select a.id, a.created_at, a.doc from v_api_sessions a
	 where (not $5::bool or a.execution_id = (select r.id from v_runs r
			where r.id = $1 or (r.run_number = $2 and r.run_id = $3)))
	   and ($4::uuid is null or exists (select from workflow_runs r
		where r.id = a.execution_id and r.project_id = $4)
		or exists (select from agent_sessions s
			where s.id = a.id and s.project_id = $4))
	   and ($6::text is null or a.session_type = $6)
	   and ($7::uuid is null or $7::text in (a.doc ->> 'botId', a.doc ->> 'peerBotId'))
), page as (
	select id, created_at, doc from found f
	 where $11::uuid is null or (f.created_at, f.id)
		< (select created_at, id from agent_sessions where id = $11)
	 order by created_at desc, id desc limit $8::int offset $9::int
)
select jsonb_build_object(
	'data', coalesce((select jsonb_agg(doc order by created_at desc, id desc) from page),
		'[]'),
	'pagination', jsonb_build_object('page', $10::int, 'limit', $8::int,
		'total', (select count(*) from (select from found limit 10000) counted),
		'nextCursor', (select case when count(*) = $8 then
			(select id from page order by created_at, id limit 1) end from page)))::text;
