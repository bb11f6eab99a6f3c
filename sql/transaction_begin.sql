-- Of a transaction over several round trips (pg_begin in common/store/pg.h, migrations):
-- elsewhere a pipeline up to its Sync is the transaction.
begin;
