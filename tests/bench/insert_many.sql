-- 100 rows a transaction, in one statement.
insert into bench (body) select repeat('x', :size) from generate_series(1, 100);
