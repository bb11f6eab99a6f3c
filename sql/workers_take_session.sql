-- From now on this connection speaks for the worker, and no older one. Comes after
-- workers_lock.sql in one transaction.
-- $1 worker uuid   $2 session int8
update workers set session = $2 where id = $1 and status + 0 = 1;
