-- Changes what is not null. A name that exists is an error of the constraint
-- projects_name_key. No row: there is no such project, or it is "default", which keeps its
-- name. $1 id uuid   $2 name text   $3 path text   $4 default branch text
update projects
   set name = coalesce($2, name), path = coalesce($3, path),
       default_branch = coalesce($4, default_branch), updated_at = now()
 where id = $1 and (name <> 'default' or coalesce($2, name) = name)
returning id;
