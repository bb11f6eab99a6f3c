-- Gives the leadership up, so that a standby that asks next has it.
select pg_advisory_unlock_all();
