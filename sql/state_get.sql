-- One value of a run's state as it is now, whoever keeps it.
-- $1 run uuid   $2 key text
-- Answer: is there one; the value.
select state ? $2::text, state -> $2::text from workflow_runs where id = $1;
