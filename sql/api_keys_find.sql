-- A key that is still good, by its hash. No row: unknown, revoked or expired.
-- $1 SHA-256 of the key bytea
select k.name, k.role, k.project_id, k.key_hash, to_jsonb(k.tools)
  from stepmill.api_keys k
 where k.key_hash = $1
   and k.revoked_at is null
   and (k.expires_at is null or k.expires_at > now());
