-- One project as the answer's JSON, by its id or its name. No row: there is none.
-- $1 id or name text   $2 project uuid: this one only (null: any)
select jsonb_build_object('id', id, 'name', name, 'path', path,
	'defaultBranch', default_branch, 'createdAt', rfc3339(created_at),
	'updatedAt', rfc3339(updated_at))::text, id, name
  from projects
 where (id::text = $1 or name = $1) and ($2::uuid is null or id = $2)
 order by (id::text = $1) desc
 limit 1;
