-- Alone with an Idempotency-Key until the transaction ends, or not: then the call that has
-- it still runs. A statement of its own, so that the next one sees what the former holder
-- committed.
-- $1 who text   $2 key text
select pg_try_advisory_xact_lock(7366531, hashtext($1 || chr(10) || $2));
