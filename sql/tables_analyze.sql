-- So that the planner knows the small tables from the first query on.
analyze projects, workflows, workflow_definitions, workflow_runs, workflow_run_state,
	workflow_steps, workflow_events, nodes, workers;
