-- Closed seals and what they were made over, in order.
-- $1 after number int8   $2 most int4
select number, entries, hash, audit_sealed_text(number),
       (select count(*) from audit_log where seal = number)
  from audit_seals where number > $1 and closed_at is not null
 order by number limit $2;
