-- Keys of which a run waits although a place is free: nobody was left to admit it.
select k.concurrency_key
  from (select concurrency_key, max(concurrency_limit) as most from workflow_runs
	 where concurrency_key is not null and status < 3 and status = 0
	   and (run_at is null or run_at <= now())
	 group by concurrency_key) k
 where (select count(*) from workflow_runs r
	 where r.concurrency_key = k.concurrency_key and r.status in (1, 2)) < k.most
 limit 100;
