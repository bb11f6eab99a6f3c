-- How far PostgreSQL's log goes: what was committed before lies behind it.
select pg_current_wal_insert_lsn()::text;
