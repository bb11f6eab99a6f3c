-- Runs that ended longer ago than runs are kept, the oldest first, behind a place. Not all
-- of them may go yet: a child run stays as long as its parent is there, and a parent until
-- what is below it is as old. Each with where its files are, and whether it may go.
-- $1 how long they are kept int8, microseconds   $2 most int4
-- The place: $3 completed_at timestamptz, null: before all   $4 run uuid
with old as materialized (
	select id, project_id, parent_run_id, completed_at from workflow_runs
	 where completed_at is not null and (completed_at, id) > (coalesce($3::timestamptz, '-infinity'), $4::uuid)
	   and completed_at < now() - $1::bigint * interval '1 us'
	 order by completed_at, id limit $2
)
select o.id, o.completed_at, o.project_id, p.path,
       (select r.id from workflow_runs r where r.id = o.parent_run_id) is null
	and not exists (
		with recursive below as (
			select r.id, r.completed_at from workflow_runs r
			 where r.parent_run_id = o.id
			union all
			select r.id, r.completed_at from below b
			 cross join lateral (
				select c.id, c.completed_at from workflow_runs c
				 where c.parent_run_id = b.id offset 0) r)
		select from below
		 where completed_at is null
		    or completed_at >= now() - $1::bigint * interval '1 us')
  from old o
 cross join lateral (
	select path from projects where id = o.project_id offset 0) p
 order by o.completed_at, o.id;
