-- What was there when a trigger began to watch has been noted; what comes is news.
-- $1 workflow uuid   $2 place int4   $3 epoch int8 of the leader
update workflow_triggers set watched_since = now()
 where workflow_id = $1 and place = $2
   and exists (select from scheduler_leader where epoch = $3);
