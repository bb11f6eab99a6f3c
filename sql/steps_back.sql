-- What a step finds that comes back after it waited: what the items of its foreach
-- answered, in order, why it failed, how many rows there are but for items, what somebody
-- decided, and how the run ended that it started.
-- $1 run uuid   $2 number int4
select (select jsonb_agg(c.output order by c.item_index) from workflow_steps c
	 where c.execution_id = $1 and c.parent_step = $2 and c.item is not null)::text,
       s.error::text,
       (select count(*) from workflow_steps c
	 where c.execution_id = $1 and c.step_number > 0 and c.item is null)::int,
       a.status::int, a.args::text, to_jsonb(a.decided_by)::text, to_jsonb(a.comment)::text,
       to_jsonb(to_char(a.decided_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))::text,
       r.status::int, r.output::text, r.error::text, r.id
  from workflow_steps s
  left join lateral (
	select status, args, decided_by, comment, decided_at from workflow_approvals
	 where execution_id = $1 and step_number = $2 order by id desc limit 1) a on true
  left join lateral (
	select * from (
		select id, status, output, error from workflow_runs
		 where parent_run_id = $1 and parent_step = $2 offset 0) started
	 order by id desc limit 1) r on true
 where s.execution_id = $1 and s.step_number = $2;
