-- Who did what, in the transaction in which it was done. The lock keeps the seal open until
-- that is over, see audit_seal() in the migrations.
-- $1 id uuid[]   $2 who text[]   $3 what text[]   $4 target text[]
-- $5 address text[]: null or no address, nothing is kept   $6 details jsonb[]
with seal as materialized (
	select number from audit_seals where closed_at is null
	 order by number desc limit 1 for key share
)
insert into audit_log (id, who, what, target, ip, details, seal)
select u.id, u.who, u.what, u.target,
       case when u.address ~ '^[0-9a-fA-F.:]+$' then u.address::inet end, u.details,
       (select number from seal)
  from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::jsonb[])
       u (id, who, what, target, address, details);
