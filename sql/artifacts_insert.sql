-- A file kept with a run, with its event, if the attempt still holds its step. After
-- runs_lock.sql in the same transaction. The id is made from the step: an attempt that
-- repeats a lost one describes its file anew, without another event.
-- $1 run uuid   $2 step number int   $3 fence int   $4 id uuid   $5 of the step bool
-- $6 name text   $7 type text   $8 path in the project text   $9 media type text
-- $10 size int8   $11 sha256 text   $12 metadata jsonb   $13 of this agent's session uuid
-- Answer: still held; the number of the event, null when it was there already.
with held as materialized (
	select r.last_seq from workflow_run_state r
	 where r.execution_id = $1 and exists (
		select from workflow_steps
		 where execution_id = $1 and step_number = $2 and fence = $3
		   and status + 0 = 2)
), known as materialized (
	select 1 from workflow_artifacts where id = $4
), artifact as (
	insert into workflow_artifacts as a (id, execution_id, step_number, name, type,
		storage_path, mime_type, size_bytes, sha256, metadata, agent_session_id)
	select $4, $1, case when $5 then $2 end, $6, $7, $8, $9, $10, $11, $12,
	       (select id from agent_sessions where id = $13)
	  from held
	on conflict (id) do update
	   set name = excluded.name, type = excluded.type,
	       storage_path = excluded.storage_path, mime_type = excluded.mime_type,
	       size_bytes = excluded.size_bytes, sha256 = excluded.sha256,
	       metadata = excluded.metadata, agent_session_id = excluded.agent_session_id
	returning a.step_number
), log as (
	insert into workflow_events (execution_id, seq, step_number, type, payload)
	select $1, h.last_seq + 1, a.step_number, 15,
	       jsonb_build_object('artifactId', $4::uuid)
	  from artifact a cross join held h
	 where not exists (select from known)
), state as (
	update workflow_run_state set last_seq = last_seq + 1
	 where execution_id = $1 and exists (select from artifact)
	   and not exists (select from known)
	returning last_seq
)
select exists (select from held), (select last_seq from state);
