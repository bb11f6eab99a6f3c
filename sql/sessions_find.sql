-- An earlier session of a command-line agent, to be taken up again: of the same project,
-- rather one of this run, the newest that ended. Not that of this attempt itself. No row:
-- none.
-- $1 run uuid   $2 this session uuid   $3 agent text   $4 its name, or the agent's own id text
-- $5 its id uuid (null: it is no id)
-- Answer: its id; the agent's own; what was kept of it: [{path, home}], paths in the project
-- and in the folder HOME; the sums that the agent told of the whole session (null: none).
with found as materialized (
	(select a.id, a.execution_id, a.external_session_id, a.created_at
	   from agent_sessions a
	  where a.session_type = 'cli' and a.name = $4 and a.agent = $3
	    and a.external_session_id is not null and a.status <> 'running'
	  order by a.created_at desc limit 100)
	union
	(select a.id, a.execution_id, a.external_session_id, a.created_at
	   from agent_sessions a
	  where a.session_type = 'cli' and a.external_session_id = $4 and a.agent = $3
	    and a.status <> 'running'
	  order by a.created_at desc limit 100)
	union
	(select a.id, a.execution_id, a.external_session_id, a.created_at
	   from agent_sessions a
	  where a.id = $5 and a.session_type = 'cli' and a.agent = $3
	    and a.external_session_id is not null)
)
select f.id, f.external_session_id,
       (select coalesce(jsonb_agg(jsonb_build_object('path', w.storage_path,
		'home', w.metadata ->> 'home') order by w.id), '[]')
	  from workflow_artifacts w
	 where w.agent_session_id = f.id and w.type = 'SESSION_FILE'),
       (select a.usage -> 'session' from agent_sessions a where a.id = f.id)
  from found f
 where f.id <> $2
   and exists (select from workflow_runs r join workflow_runs own on own.id = $1
	where r.id = f.execution_id and r.project_id = own.project_id)
 order by (f.execution_id = $1) desc, f.created_at desc, f.id desc limit 1;
