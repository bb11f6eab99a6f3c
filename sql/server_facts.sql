-- What a host's operator must know of the database server: versions and limits, what is
-- open, whether commits are safe, its clock.
select current_setting('server_version'),
       current_setting('max_connections')::int,
       current_setting('superuser_reserved_connections')::int,
       (select count(*) from pg_stat_activity where backend_type = 'client backend')::int,
       current_setting('fsync') = 'on' and current_setting('synchronous_commit') <> 'off',
       pg_is_in_recovery(),
       clock_timestamp();
