-- From now on the key opens nothing. No row: no such key; one that was revoked before
-- keeps its time.
-- $1 id uuid
update api_keys
   set revoked_at = coalesce(revoked_at, now()), updated_at = now()
 where id = $1
returning name;
