-- Is there a ready step in these places? Also true for one that is being claimed now.
-- $1 queues text[]   $2 priorities int2[]   $3 marks timestamptz[]
select exists (
	select from unnest($1::text[], $2::smallint[], $3::timestamptz[])
		p (queue, priority, mark)
	 cross join lateral (
		select 1 from workflow_steps
		 where status = 1 and queue = p.queue and priority = p.priority
		   and ready_at >= p.mark limit 1) s);
