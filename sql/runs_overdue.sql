-- Runs whose time is up, the longest overdue first.
select execution_id from workflow_run_state
 where status < 3 and deadline_at <= now()
 order by deadline_at limit 1000;
