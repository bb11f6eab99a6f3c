-- A file that somebody outside keeps with a run, with its event, whatever the run's
-- status. After runs_lock.sql in the same transaction.
-- $1 run uuid   $2 step number int, null: of the run   $3 id uuid   $4 name text
-- $5 type text   $6 path in the project text   $7 media type text   $8 size int8
-- $9 sha256 text   $10 metadata jsonb
-- Answer: the number of the event. No row: there is no such run (any more).
with run as materialized (
	select last_seq from workflow_run_state where execution_id = $1
), artifact as (
	insert into workflow_artifacts (id, execution_id, step_number, name, type,
		storage_path, mime_type, size_bytes, sha256, metadata)
	select $3, $1, $2, $4, $5, $6, $7, $8, $9, $10 from run
), log as (
	insert into workflow_events (execution_id, seq, step_number, type, payload)
	select $1, last_seq + 1, $2, 15, jsonb_build_object('artifactId', $3::uuid)
	  from run
)
update workflow_run_state set last_seq = last_seq + 1
 where execution_id = $1
returning last_seq;
