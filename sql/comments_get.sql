-- One comment as the answer's JSON.
-- $1 id uuid
select doc::text from v_api_comments where id = $1;
