-- A new key; only its hash is kept. A name that exists already is an error of the
-- constraint api_keys_name_key.
-- $1 id uuid   $2 name text   $3 SHA-256 of the key bytea   $4 role text
-- $5 project uuid (null: all)   $6 expires at timestamptz (null: never)
insert into stepmill.api_keys (id, name, key_hash, role, project_id, expires_at)
values ($1, $2, $3, $4, $5, $6)
returning id;
