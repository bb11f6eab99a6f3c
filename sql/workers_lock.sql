-- Waits for what this worker has in flight (a claim or a finish holds the row KEY SHARE)
-- and keeps it from beginning anything until this transaction ends.
-- $1 worker uuid
select 1 from workers where id = $1 for update;
