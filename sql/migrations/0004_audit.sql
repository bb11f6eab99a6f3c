-- The audit log cannot be changed unnoticed. Its rows go under seals, which are closed one
-- after the other: the hash of a seal is SHA-256 over that of the one before and the texts of
-- its rows, so what was changed, added or taken away later shows (stepmill audit verify).
-- Chaining seals instead of rows costs who changes something one lock that is shared.

create table audit_seals (
	number bigint primary key,
	opened_at timestamptz not null default now(),
	closed_at timestamptz,
	entries int,
	hash bytea,
	constraint audit_seals_shape check ((closed_at is null) = (hash is null)
		and (closed_at is null) = (entries is null))
);

insert into audit_seals (number) values (1);

alter table audit_log add column seal bigint not null default 1;
alter table audit_log alter column seal drop default;
create index audit_log_seal on audit_log (seal, id);

-- What of a row is sealed. The id comes first: it orders them.
create function audit_text(entry audit_log) returns text
language sql stable strict parallel safe
return jsonb_build_array(entry.id, entry.seal, entry.who, entry.what, entry.target,
	host(entry.ip), entry.details,
	to_char(entry.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))::text;

-- The text over which the hash of a seal is made, behind that of the one before.
create function audit_sealed_text(seal_number bigint) returns text
language sql stable strict parallel safe
return (select coalesce(string_agg(audit_text(l), E'\n' order by l.id), '')
	from audit_log l where l.seal = seal_number);

-- Opens a new seal when the newest one has rows, and closes the one before: who writes
-- holds a shared lock on the row of its seal, so there is nobody left when it is ours. One
-- that is still in use is closed the next time. Answers the seal that was closed.
create function audit_seal() returns setof audit_seals
language plpgsql as $$
declare
	newest bigint := (select max(number) from stepmill.audit_seals);
	closing bigint;
	before_it bytea;
begin
	if not exists (select from stepmill.audit_seals
			where number = newest - 1 and closed_at is null) then
		if exists (select from stepmill.audit_log where seal = newest) then
			insert into stepmill.audit_seals (number) values (newest + 1)
			on conflict do nothing;
		end if;
		return;
	end if;
	select number into closing from stepmill.audit_seals
	 where number = newest - 1 and closed_at is null for update skip locked;
	if closing is null then
		return;
	end if;
	select hash into before_it from stepmill.audit_seals where number = closing - 1;
	return query update stepmill.audit_seals s
	   set closed_at = now(),
	       entries = (select count(*) from stepmill.audit_log l where l.seal = closing),
	       hash = sha256(coalesce(before_it, '') || convert_to(
			stepmill.audit_sealed_text(closing), 'UTF8'))
	 where s.number = closing
	returning s.*;
end
$$;

-- Nothing is taken back. (Whoever owns the database can take this away; the seals tell.)
create function on_audit_changed() returns trigger
language plpgsql as $$
begin
	raise restrict_violation using
		constraint = tg_table_name,
		message = 'what the audit log says stays';
end
$$;

create trigger audit_log_stays before update or delete or truncate on audit_log
	for each statement execute function on_audit_changed();
create trigger audit_seals_stay before delete or truncate on audit_seals
	for each statement execute function on_audit_changed();
