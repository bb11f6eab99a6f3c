-- Steps that wait for an event from now on, after steps_finish.sql in its transaction, for
-- what it took.
-- $1 runs uuid[] $2 numbers int4[] $3 fences int4[] $4 status int2[]: whose
-- $5 types text[]   $6 checked_at timestamptz[]
insert into event_waits (execution_id, step_number, type, checked_at)
select u.run, u.number, u.type, u.checked_at
  from unnest($1::uuid[], $2::int[], $3::int[], $4::smallint[], $5::text[],
	$6::timestamptz[]) u (run, number, item_fence, to_status, type, checked_at)
 cross join lateral (
	select priority from workflow_steps
	 where execution_id = u.run and step_number = u.number
	   and fence = u.item_fence and status + 0 = u.to_status
	   and xmin = pg_current_xact_id()::xid offset 0) s
    on conflict (execution_id, step_number) do update
   set type = excluded.type, checked_at = excluded.checked_at;
