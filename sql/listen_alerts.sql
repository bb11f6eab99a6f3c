-- Whoever stored results of a heartbeat that need action tells by which run.
listen stepmill_alerts;
