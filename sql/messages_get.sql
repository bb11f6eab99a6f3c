-- A message as the answer's JSON.
-- $1 id uuid
select doc::text from v_api_messages where id = $1;
