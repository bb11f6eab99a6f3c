-- Writes down what somebody is to decide, after steps_finish.sql in its transaction, for
-- what it took. What was asked for the same step before is void.
-- $1 runs uuid[] $2 numbers int4[] $3 fences int4[] $4 status int2[]: whose
-- $5 ids uuid[]   $6 prompts text[]   $7 args jsonb[]   $8 on_timeout int2[]
-- $9 expires_at timestamptz[]
with item as (
	select u.*
	  from unnest($1::uuid[], $2::int[], $3::int[], $4::smallint[], $5::uuid[],
		$6::text[], $7::jsonb[], $8::smallint[], $9::timestamptz[])
	       u (run, number, item_fence, to_status, id, prompt, args, on_timeout, expires)
	 cross join lateral (
		select status, last_seq from workflow_run_state
		 where execution_id = u.run and status + 0 in (1, 2) offset 0) r
	 cross join lateral (
		select priority from workflow_steps
		 where execution_id = u.run and step_number = u.number
		   and fence = u.item_fence and status + 0 = u.to_status
		   and xmin = pg_current_xact_id()::xid offset 0) s
), void as (
	update workflow_approvals a set status = 4, updated_at = now()
	  from item i
	 where a.execution_id = any (array[i.run]) and a.step_number = i.number
	   and a.status + 0 in (0, 1)
)
insert into workflow_approvals (id, execution_id, step_number, prompt, args, on_timeout,
	expires_at)
select id, run, number, prompt, args, on_timeout, expires from item;
