-- One artifact as the answer's JSON.
-- $1 id uuid
select doc::text from v_api_artifacts where id = $1;
