-- What became of a flush whose answer was lost. Comes after workers_take_session.sql, so
-- that nothing of that flush can still be under way.
-- verdict: 1 it was committed, 0 the step is still ours, -1 it is neither. A step loses
-- its worker without getting a new fence only by a finish.
-- holds_next: the step that was to come next is ours since then (else its run was paused,
-- or it was made for everybody; what a claim took meanwhile is another slot's).
-- $1 worker uuid   $2 runs uuid[]   $3 numbers int4[]   $4 fences int4[]   $5 status int2[]
-- $6 next_number int4[]
select case when s.fence is distinct from u.fence then -1
	    when s.worker_id is null then 1
	    when s.worker_id <> $1 then -1
	    when u.status = 2 and s.started_logged then 1
	    else 0 end as verdict,
       coalesce(r.last_seq, 0) as last_seq,
       exists (select from workflow_steps
		where execution_id = u.run and step_number = u.next_number
		  and worker_id = $1 and status + 0 = 2
		  and claim_number is null) as holds_next
  from unnest($2::uuid[], $3::int[], $4::int[], $5::smallint[], $6::int[]) with ordinality
	u (run, number, fence, status, next_number, place)
  left join lateral (
	select fence, worker_id, started_logged from workflow_steps
	 where execution_id = u.run and step_number = u.number offset 0) s on true
  left join lateral (
	select last_seq from workflow_run_state where execution_id = u.run offset 0) r on true
 order by u.place;
