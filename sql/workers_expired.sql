-- Workers whose lease has ended, and those that hold steps although they are declared
-- dead, have left, or were never there.
select id from workers where status = 1 and lease_expires_at < now()
union
select worker_id from workflow_steps s
 where s.status = 2 and not exists (
	select from workers w where w.id = s.worker_id and w.status = 1);
