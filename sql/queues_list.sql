-- The queues that have ready steps or are served, as the answer's JSON: how deep they are
-- (counted to 100,000 steps of all), by priority, how long the oldest waits, and who serves
-- them. $1 project uuid: steps of this one only (null: all)
with ready as materialized (
	select s.queue, s.priority, s.ready_at
	  from workflow_steps s
	 where s.status = 1 and ($1::uuid is null or exists (
		select from workflow_runs r
		 where r.id = s.execution_id and r.project_id = $1))
	 limit 100000),
depth as (
	select queue, count(*) as depth, min(ready_at) as oldest,
	       count(*) filter (where priority = 0) as high,
	       count(*) filter (where priority = 1) as normal,
	       count(*) filter (where priority = 2) as low
	  from ready group by queue),
served as (
	select q.queue, count(*) as workers, sum(w.slots) as slots, sum(w.used) as used
	  from workers w cross join lateral unnest(w.queues) q (queue)
	 where w.status = 1 group by q.queue)
select jsonb_build_object('data', coalesce(jsonb_agg(jsonb_build_object(
	'name', queue, 'depth', coalesce(d.depth, 0),
	'byPriority', jsonb_build_object('high', coalesce(d.high, 0),
		'normal', coalesce(d.normal, 0), 'low', coalesce(d.low, 0)),
	'oldestReadyAt', rfc3339(d.oldest),
	'oldestAgeMs', greatest(0, (extract(epoch from now() - d.oldest) * 1000)::bigint),
	'workers', coalesce(s.workers, 0), 'slots', coalesce(s.slots, 0),
	'used', coalesce(s.used, 0)) order by queue), '[]'))::text
  from depth d full join served s using (queue);
