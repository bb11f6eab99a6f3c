-- Whoever told an event that some trigger may wait for tells, and the scheduler looks.
listen stepmill_events;
