-- A page of projects as the answer's JSON, by name.
-- $1 limit int   $2 offset int   $3 page int   $4 project uuid: this one only (null: all)
with seen as (
	select name, jsonb_build_object('id', id, 'name', name, 'path', path,
		'defaultBranch', default_branch, 'createdAt', rfc3339(created_at),
		'updatedAt', rfc3339(updated_at)) as doc
	  from projects where $4::uuid is null or id = $4)
select jsonb_build_object(
	'data', coalesce((select jsonb_agg(x.doc order by x.name) from
		(select doc, name from seen order by name limit $1 offset $2) x), '[]'),
	'pagination', jsonb_build_object('page', $3::int, 'limit', $1::int,
		'total', (select count(*) from seen), 'nextCursor', null))::text;
