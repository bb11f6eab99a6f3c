-- One key as the answer's JSON; never what it hashes to.
-- $1 id uuid
select jsonb_build_object('id', id, 'name', name, 'role', role, 'projectId', project_id,
	'tools', to_jsonb(tools), 'state', 'good', 'createdAt', rfc3339(created_at),
	'expiresAt', rfc3339(expires_at), 'revokedAt', null)::text
  from api_keys where id = $1;
