-- The heartbeat that a run goes through, if it is of the run's project: what it says of
-- when it fires, and what the engine needs to follow its file.
-- $1 run uuid   $2 schedule uuid
-- Answer: slug, path, pattern, zone, active hours: start, end, days (as JSON, null: all);
-- model, webhook, created at, jitter in milliseconds, enabled, revision. No row: there is
-- none (any more).
select s.slug, s.heartbeat_path, s.cron_expression, s.timezone, s.active_hours_start,
       s.active_hours_end, to_jsonb(s.active_hours_days), s.model, s.webhook, s.created_at,
       s.jitter_ms, s.enabled, s.revision
  from workflow_runs r
  join schedules s on s.project_id = r.project_id
 where r.id = $1 and s.id = $2 and s.kind = 'heartbeat';
