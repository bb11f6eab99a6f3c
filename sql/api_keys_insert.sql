-- A new key; only its hash is kept. A name that exists already is an error of the
-- constraint api_keys_name_key, a project that does not one of api_keys_project_id_fkey.
-- $1 id uuid   $2 name text   $3 SHA-256 of the key bytea   $4 role text
-- $5 project uuid (null: all)   $6 expires at timestamptz (null: never)
-- $7 tools that runs it starts may use, names with globs: jsonb list (null: all)
insert into stepmill.api_keys (id, name, key_hash, role, project_id, expires_at, tools)
values ($1, $2, $3, $4, $5, $6,
	case when $7::jsonb is not null
	     then array(select jsonb_array_elements_text($7::jsonb)) end)
returning id;
