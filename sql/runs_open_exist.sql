-- Is any of these runs not over? Asked again and again while others work: the partial
-- index of open runs answers, whatever is stored besides.
-- $1 first id uuid   $2 last id uuid
select exists (select from (select execution_id from stepmill.workflow_run_state
	where status < 3 order by deadline_at) open
	where execution_id between $1 and $2);
