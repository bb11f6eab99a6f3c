-- Types of which an event came that nobody woke the waiting steps for: who told it, or who
-- began to wait, died in between. A commit may be seen some seconds after its time.
select distinct w.type
  from event_waits w
 where exists (select from bus_events b
	where b.type = w.type and b.at > w.checked_at - interval '5 s')
 limit 100;
