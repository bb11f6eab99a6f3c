-- What the file of a heartbeat says about when it fires is so from now on, and the
-- scheduler looks again; unless a person has changed the heartbeat since it was read. Its
-- attempt must still hold its step: after runs_lock.sql in the same transaction.
-- $1 run uuid   $2 step number int   $3 fence int   $4 schedule uuid   $5 revision int
-- $6 pattern text   $7 zone text   $8 start text   $9 end text   $10 days int4[] (empty: all)
-- $11 next run timestamptz   $12 due timestamptz (both null when it is not enabled)
-- Answer: still held; changed; told.
with held as materialized (
	select 1 from workflow_steps
	 where execution_id = $1 and step_number = $2 and fence = $3 and status + 0 = 2
), changed as (
	update schedules
	   set cron_expression = $6, timezone = $7, active_hours_start = $8,
	       active_hours_end = $9, active_hours_days = nullif($10::int[], '{}'),
	       next_run_at = $11, due_at = $12, revision = revision + 1, updated_at = now()
	 where id = $4 and revision = $5 and kind = 'heartbeat' and exists (select from held)
	returning id
), told as (
	select pg_notify('stepmill_schedules', '')::text as said from changed
)
select exists (select from held), exists (select from changed),
       (select said from told);
