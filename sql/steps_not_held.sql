-- Which of these steps this worker holds no more: places in the arrays, from 0.
-- $1 worker uuid   $2 runs uuid[]   $3 numbers int4[]   $4 fences int4[]
select (u.place - 1)::int
  from unnest($2::uuid[], $3::int[], $4::int[]) with ordinality u (run, number, fence, place)
  left join lateral (
	select true as held from workflow_steps
	 where execution_id = u.run and step_number = u.number and fence = u.fence
	   and worker_id = $1 and status + 0 = 2 offset 0) s on true
 where s.held is null;
