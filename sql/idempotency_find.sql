-- What was answered before under an Idempotency-Key, and whether it was asked in the same
-- words. What has expired goes.
-- $1 who text   $2 key text   $3 hash of the call bytea
with gone as (
	delete from idempotency_keys where who = $1 and key = $2 and expires_at <= now()
)
select body_hash = $3, answer from idempotency_keys
 where who = $1 and key = $2 and expires_at > now();
