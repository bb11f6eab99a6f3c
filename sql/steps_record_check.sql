-- What became of a flush of steps_record.sql whose answer was lost. Comes after
-- workers_take_session.sql, so that nothing of that flush can still be under way.
-- verdict: 1 it was committed, 0 the program is still ours and it was not, -1 the program
-- is somebody else's.
-- $1 worker uuid   $2 runs uuid[]   $3 fences int4[]: of the program   $4 numbers int4[]
-- $5 status int2[]   $6 attempt int2[]
select case when s.fence = u.fence and s.attempt_number = u.attempt
		and (s.status + 0 = u.to_status or u.to_status in (4, 5)) then 1
	    when p.fence is distinct from u.fence or p.worker_id is distinct from $1 then -1
	    else 0 end as verdict,
       coalesce(r.last_seq, 0) as last_seq, coalesce(r.status, 1)::int as run_now
  from unnest($2::uuid[], $3::int[], $4::int[], $5::smallint[], $6::smallint[])
	with ordinality u (run, fence, number, to_status, attempt, place)
  left join lateral (
	select fence, status, attempt_number from workflow_steps
	 where execution_id = u.run and step_number = u.number offset 0) s on true
  left join lateral (
	select fence, worker_id from workflow_steps
	 where execution_id = u.run and step_number = -1 offset 0) p on true
  left join lateral (
	select last_seq, status from workflow_run_state
	 where execution_id = u.run offset 0) r on true
 order by u.place;
