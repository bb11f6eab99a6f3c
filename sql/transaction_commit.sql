-- See transaction_begin.sql.
commit;
