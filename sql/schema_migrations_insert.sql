-- A migration was applied, in this transaction.
-- $1 number int4   $2 name text   $3 text text
insert into schema_migrations (number, name, checksum)
values ($1, $2, encode(sha256(convert_to($3, 'UTF8')), 'hex'));
