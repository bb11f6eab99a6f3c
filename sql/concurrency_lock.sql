-- One at a time admits runs of a key: the lock that comes before all state rows.
-- $1 key text
insert into concurrency_keys (key) values ($1)
on conflict (key) do update set key = excluded.key;
