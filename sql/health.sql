-- Does PostgreSQL answer.
select 1;
