-- One migration at a time, whoever starts it; ends with the session.
select pg_advisory_lock(7366530, 1);
