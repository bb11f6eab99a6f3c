-- So many workers are wished for on a node, whose supervisor is told. Nothing is changed
-- unless just one node of that name keeps workers now.
-- $1 id or host text   $2 workers int4
-- Answer: how many nodes there are of that name; the id of the one, and the wish.
with found as materialized (
	select id from nodes
	 where (id::text = $1::text or host = $1::text) and status = 'ready'
	   and last_seen_at > now() - interval '15 seconds'
), wished as (
	update nodes set wanted_workers = $2::int
	 where id = any (array(select id from found)) and (select count(*) from found) = 1
	returning id, wanted_workers
)
select (select count(*) from found), (select id from wished),
       (select wanted_workers from wished),
       (select pg_notify('stepmill_pool', id::text) from wished);
