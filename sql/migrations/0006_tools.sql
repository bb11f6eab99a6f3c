-- A run may use only the tools that the key may that started it: names with * for any part.
alter table workflow_runs add column tools jsonb;
comment on column workflow_runs.tools is 'the tools its steps may use; null: all';
