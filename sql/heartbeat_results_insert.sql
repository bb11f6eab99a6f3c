-- What a run of a heartbeat found, one row an item, and whoever listens is told when
-- something needs action. If the attempt still holds its step, after runs_lock.sql in the
-- same transaction. The ids are made from the step: an attempt that repeats a lost one
-- stores nothing twice, and tells nothing twice. Of a heartbeat the newest $10 rows are
-- kept. Why an item was not evaluated says the step that was to do it.
-- $1 run uuid   $2 step number int   $3 fence int   $4 schedule uuid   $5 ids uuid[]
-- $6 descriptions text[]   $7 actions needed bool[]   $8 details text[]
-- $9 which item of the list int4[] (-1: none, it says why there is no list)   $10 most rows int4
-- Answer: still held; the heartbeat is there; now text; told.
with held as materialized (
	select 1 from workflow_steps
	 where execution_id = $1 and step_number = $2 and fence = $3 and status + 0 = 2
), beat as materialized (
	select s.id from schedules s
	  join workflow_runs r on r.project_id = s.project_id
	 where s.id = $4 and r.id = $1 and s.kind = 'heartbeat'
	   and exists (select from held)
), stored as (
	insert into heartbeat_results (id, schedule_id, run_id, description, action_needed,
		details, error)
	select x.id, b.id, $1, x.description, x.action_needed, x.details,
	       case when x.item < 0 then x.details
		    else (select left(c.error->>'message', 4000) from workflow_steps c
			   where c.execution_id = $1 and c.item is not null
			     and c.item_index = x.item and c.status + 0 = 7 limit 1) end
	  from beat b
	 cross join unnest($5::uuid[], $6::text[], $7::bool[], $8::text[], $9::int[])
		as x (id, description, action_needed, details, item)
	on conflict (id) do nothing
	returning action_needed
), old as (
	delete from heartbeat_results
	 where schedule_id = $4 and exists (select from beat)
	   and at < (select at from heartbeat_results where schedule_id = $4
		      order by at desc offset $10::int limit 1)
), told as (
	select pg_notify('stepmill_alerts', $1::text) as said
	 where exists (select from stored where action_needed)
)
select exists (select from held), exists (select from beat), rfc3339(now()),
       (select said::text from told);
