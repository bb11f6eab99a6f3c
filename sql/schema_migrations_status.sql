-- How far the database is, and whether what was applied there reads as it does here.
-- $1 numbers int[], $2 texts text[]: of all migrations that are known here
select coalesce(max(m.number), 0) as applied,
       coalesce(bool_or(k.text is not null
	and m.checksum <> encode(sha256(convert_to(k.text, 'UTF8')), 'hex')), false) as changed
  from schema_migrations m
  left join unnest($1::int[], $2::text[]) k (number, text) on k.number = m.number;
