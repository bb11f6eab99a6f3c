-- Whoever changed a schedule tells, and the scheduler looks again.
listen stepmill_schedules;
