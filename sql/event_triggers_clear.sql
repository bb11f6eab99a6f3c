-- Events that the scheduler has looked at, in the transaction of the runs that they start:
-- one that was looked at meanwhile, or a leader that leads no more, undoes the whole.
-- $1 epoch int8 of the leader   $2 ids uuid[]
with cleared as (
	update bus_events set pending = false
	 where id = any ($2::uuid[]) and pending
	returning id)
select refuse_unless(
	(select count(*) from cleared) = cardinality($2::uuid[])
	and exists (select from scheduler_leader where epoch = $1),
	'an event was taken meanwhile, or another scheduler leads');
