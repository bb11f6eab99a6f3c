-- Counters of the whole database server, exact at this moment: bytes of WAL written so
-- far, and transactions that wrote.
select (pg_current_wal_insert_lsn() - '0/0')::bigint,
       pg_snapshot_xmax(pg_current_snapshot())::text::bigint;
