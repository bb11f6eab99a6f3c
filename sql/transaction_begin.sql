-- For migrations only: elsewhere a pipeline up to its Sync is the transaction.
begin;
