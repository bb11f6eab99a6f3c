-- The run that was started before under an idempotency key, and whether it was asked for
-- in the same words, by the same client. No row: it was deleted meanwhile.
-- $1 project uuid (null: default)   $2 key text   $3 definition uuid   $4 input jsonb
-- $5 requested by text
select r.id, r.status,
       r.input is not distinct from $4::jsonb
	and d.workflow_id = (select workflow_id from workflow_definitions where id = $3)
	and r.requested_by is not distinct from $5::text
  from workflow_runs r
 cross join lateral (
	select workflow_id from workflow_definitions where id = r.workflow_def_id) d
 where r.project_id = coalesce($1, '00000000-0000-7000-8000-000000000001'::uuid)
   and r.idempotency_key = $2;
