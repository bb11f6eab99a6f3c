-- Which scheduler leads. The advisory lock (7366530, 3) of its session makes it one at a
-- time; the epoch tells one leadership from the next; seen_at shows that it lives.
create table scheduler_leader (
	only_row bool primary key default true check (only_row),
	epoch bigint not null default 0,
	backend int,
	host text,
	pid int,
	elected_at timestamptz,
	seen_at timestamptz
);

insert into scheduler_leader default values;
