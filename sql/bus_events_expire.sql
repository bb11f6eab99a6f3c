-- What came more than a week ago is forgotten, some at a time. Ids are times.
delete from bus_events where id = any (array(
	select id from bus_events where id < uuid_at(now() - interval '7 days')
	 order by id limit 1000));
