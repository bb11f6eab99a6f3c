-- $1 path text: of the project "default"
update projects set path = $1, updated_at = now() where name = 'default' and path <> $1;
