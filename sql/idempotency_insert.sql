-- Keeps an answer for a day, in the transaction of what it answers.
-- $1 who text   $2 key text   $3 hash of the call bytea   $4 answer jsonb {status, body}
insert into idempotency_keys (who, key, body_hash, answer, expires_at)
values ($1, $2, $3, $4, now() + interval '1 day');
