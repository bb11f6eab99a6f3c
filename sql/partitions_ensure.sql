-- Makes the partitions of this and the next month where they are missing.
select partitions_ensure(now());
