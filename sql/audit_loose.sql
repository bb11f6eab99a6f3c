-- What stands under no closed seal: rows that wait for theirs, and rows of a seal that is
-- not there. And how many seals are missing among the closed ones.
select (select count(*) from audit_log l join audit_seals s on s.number = l.seal
	where s.closed_at is null),
       (select count(*) from audit_log l where not exists (
	select from audit_seals s where s.number = l.seal)),
       (select coalesce(max(number), 0) - count(*) from audit_seals);
