-- See transaction_begin.sql.
rollback;
