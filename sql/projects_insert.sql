-- A new project. A name that exists is an error of the constraint projects_name_key.
-- $1 id uuid   $2 name text   $3 path text   $4 default branch text
insert into projects (id, name, path, default_branch) values ($1, $2, $3, $4);
