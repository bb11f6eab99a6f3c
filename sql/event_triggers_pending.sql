-- Events that triggers may wait for, the oldest first, and for each the triggers that want
-- its type and source, with the newest version of their workflows: an event of a project is
-- for the workflows of that one, and for everybody's. An event that nobody wants comes
-- alone. As many as have 4 MiB of data together, at least one.
-- $1 most int4
select e.id, e.project_id, e.source, e.type, e.data, e.at, e.depth, t.place, t.project_id,
       t.definition, t.name
  from (select b.*, sum(coalesce(pg_column_size(b.data), 0)) over (order by b.id)
		- coalesce(pg_column_size(b.data), 0) as before
	  from (select * from bus_events where pending order by id limit $1) b) e
  left join lateral (
	select t.place, w.project_id, w.name, d.id as definition
	  from workflow_triggers t
	  join workflows w on w.id = t.workflow_id
	 cross join lateral (
		select id, is_active from workflow_definitions
		 where workflow_id = w.id and not is_test
		 order by version desc limit 1) d
	 where t.kind = 'event' and t.type = e.type and d.is_active
	   and (t.source is null or t.source = e.source)
	   and (e.project_id is null or w.project_id is null
		or w.project_id = e.project_id)) t on true
 where e.before < 4 * 1024 * 1024
 order by e.id, t.name, t.place;
