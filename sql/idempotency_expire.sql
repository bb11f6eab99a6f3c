-- Answers that need not be kept any longer, some at a time.
delete from idempotency_keys where (who, key) in (
	select who, key from idempotency_keys where expires_at <= now()
	 order by expires_at limit 1000);
