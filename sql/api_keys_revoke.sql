-- From now on the key opens nothing. No row: no such key; one that was revoked before
-- keeps its time.
-- $1 name text
update stepmill.api_keys
   set revoked_at = coalesce(revoked_at, now()), updated_at = now()
 where name = $1
returning revoked_at;
