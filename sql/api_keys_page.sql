-- A page of keys as the answer's JSON, the oldest first; never what they hash to.
-- $1 limit int   $2 offset int   $3 page int
with page as (
	select id, created_at, jsonb_build_object('id', id, 'name', name, 'role', role,
		'projectId', project_id, 'tools', to_jsonb(tools),
		'state', case when revoked_at is not null then 'revoked'
			      when expires_at <= now() then 'expired' else 'good' end,
		'createdAt', rfc3339(created_at), 'expiresAt', rfc3339(expires_at),
		'revokedAt', rfc3339(revoked_at)) as doc
	  from api_keys order by created_at, id limit $1 offset $2)
select jsonb_build_object(
	'data', coalesce((select jsonb_agg(doc order by created_at, id) from page), '[]'),
	'pagination', jsonb_build_object('page', $3::int, 'limit', $1::int,
		'total', (select count(*) from api_keys), 'nextCursor', null))::text;
