-- All keys, the oldest first, as far as they may be shown; never what they hash to.
select k.name, k.role, p.name, k.created_at, k.expires_at, k.revoked_at,
       case when k.revoked_at is not null then 'revoked'
	    when k.expires_at <= now() then 'expired' else 'good' end
  from stepmill.api_keys k
  left join stepmill.projects p on p.id = k.project_id
 order by k.created_at, k.id;
