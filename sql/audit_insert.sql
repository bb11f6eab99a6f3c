-- Who did what, in the transaction in which it was done; audit_seal.sql chains the rows.
-- $1 id uuid[]   $2 who text[]   $3 what text[]   $4 target text[]
-- $5 address text[]: null or no address, nothing is kept   $6 details jsonb[]
insert into audit_log (id, who, what, target, ip, details)
select u.id, u.who, u.what, u.target,
       case when u.address ~ '^[0-9a-fA-F.:]+$' then u.address::inet end, u.details
  from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::jsonb[])
       u (id, who, what, target, address, details);
