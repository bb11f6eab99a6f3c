-- What became of the runs of one definition between two ids, and how fast: from the
-- first one created to the last one completed, and each by itself (milliseconds).
-- $1 definition uuid   $2 first id uuid   $3 last id uuid
select count(*)::int, (count(*) filter (where status = 3))::int,
       coalesce(extract(epoch from max(completed_at) - min(created_at)), 0)::float8,
       coalesce(percentile_cont(0.5) within group (order by took), 0)::float8,
       coalesce(percentile_cont(0.99) within group (order by took), 0)::float8,
       coalesce(min(took), 0)::float8, coalesce(max(took), 0)::float8
  from (select status, created_at, completed_at,
	       (extract(epoch from completed_at - created_at) * 1000)::float8 as took
	  from stepmill.workflow_runs
	 where workflow_def_id = $1 and id between $2 and $3) r;
