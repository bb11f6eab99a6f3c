"""What must hold after a fault campaign, a family of invariants a room. Each room's check takes
the world (world.py) and the report (report.py) and knows nothing of how the engine works: only
what the data model, the workflow format and the table of events promise."""
