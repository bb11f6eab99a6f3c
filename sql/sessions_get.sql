-- One session as the answer's JSON, with what was said in it: its newest messages, the
-- oldest of them first. No row: there is none.
-- $1 id uuid   $2 project uuid: no other's (null: any)   $3 messages at most int
select (a.doc || jsonb_build_object(
	'messageCount', (select count(*) from chat_messages where session_id = $1),
	'messages', (select coalesce(jsonb_agg(m.doc order by m.seq), '[]')
		from (select doc, seq from v_api_messages where session_id = $1
		       order by seq desc limit $3::int) m)))::text
  from v_api_sessions a
  join agent_sessions s on s.id = a.id
 where a.id = $1::uuid
   and ($2::uuid is null or s.project_id = $2 or exists (select from workflow_runs r
	where r.id = a.execution_id and r.project_id = $2));
