-- Events of a run after a number, in order, at most 1,000, as a JSON array; and whether
-- the run is over.
-- $1 execution uuid   $2 since bigint
select coalesce((select jsonb_agg(e.doc order by e.seq)
	from (select doc, seq from stepmill.v_api_events
	       where execution_id = $1 and seq > $2 order by seq limit 1000) e), '[]')::text,
       (select status >= 3 from stepmill.workflow_run_state where execution_id = $1),
       coalesce((select last_seq from stepmill.workflow_run_state
		  where execution_id = $1), 0);
