-- One row a transaction, each client on its own.
insert into bench (body) values (repeat('x', :size));
