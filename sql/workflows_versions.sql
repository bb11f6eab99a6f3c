-- All versions of a workflow, newest first, as the answer's JSON; null: no such workflow.
-- $1 id or name text
select jsonb_build_object('data', jsonb_agg(doc order by version desc))::text
  from stepmill.v_api_workflows
 where workflow_id::text = $1 or name = $1
having count(*) > 0;
