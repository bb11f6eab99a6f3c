-- Approvals by status, the oldest first, with what is asked and for which run.
-- $1 status int2   $2 project uuid: no other's (null: any)   $3 limit int4
select coalesce(jsonb_agg(x.doc order by x.id), '[]')::text
  from (select v.id, v.doc from stepmill.v_api_approvals v
	 where v.status_code = $1 and ($2::uuid is null or v.project_id = $2)
	 order by v.id limit $3) x;
