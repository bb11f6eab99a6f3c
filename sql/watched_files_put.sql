-- Files as they are now, in the transaction of the runs that they start: one that is noted
-- so already (another scheduler was there before), or a leader that leads no more, undoes
-- the whole. A trigger that is gone is an error of the foreign key.
-- $1 epoch int8 of the leader   $2 workflow uuid   $3 place int4
-- $4 paths text[], each once   $5 mtime_ns int8[]   $6 size int8[]   $7 inode int8[]
with noted as (
	insert into watched_files as f (workflow_id, place, path, mtime_ns, size, inode)
	select $2, $3, u.*
	  from unnest($4::text[], $5::bigint[], $6::bigint[], $7::bigint[]) u
	on conflict (workflow_id, place, path) do update
	   set mtime_ns = excluded.mtime_ns, size = excluded.size, inode = excluded.inode,
	       updated_at = now()
	 where (f.mtime_ns, f.size, f.inode)
		is distinct from (excluded.mtime_ns, excluded.size, excluded.inode)
	returning f.path)
select refuse_unless(
	(select count(*) from noted) = cardinality($4::text[])
	and exists (select from scheduler_leader where epoch = $1),
	'a file was noted meanwhile, or another scheduler leads');
