-- A schedule goes with its ledger, after schedules_find.sql; its runs stay.
-- $1 id uuid
with gone as (
	delete from schedules where id = $1 returning id
)
select id, pg_notify('stepmill_schedules', '')::text from gone;
