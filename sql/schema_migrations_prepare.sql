-- What must be there before the first migration. Harmless when it is.
create schema if not exists stepmill;
create table if not exists stepmill.schema_migrations (
	number int primary key check (number > 0),
	name text not null,
	checksum text not null,
	created_at timestamptz not null default now()
);
