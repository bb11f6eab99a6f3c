-- What came of a type since a run started, the oldest first: for a step that waits.
-- $1 run uuid   $2 type text
-- Answer: the events, and the moment as of which this was looked at.
select coalesce((select jsonb_agg(e.doc order by e.at, e.id) from (
	select b.id, b.at, jsonb_build_object('id', b.id, 'source', b.source, 'type', b.type,
		'data', b.data, 'at', to_char(b.at at time zone 'UTC',
			'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')) as doc
	  from bus_events b
	 where b.type = $2 and b.at >= r.created_at
	   and (b.project_id is null or b.project_id = r.project_id)
	 order by b.at, b.id limit 1000) e), '[]')::text, now()
  from workflow_runs r where r.id = $1;
