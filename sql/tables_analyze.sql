-- After an upgrade: columns and indexes that are new have no statistics yet.
analyze projects, workflows, workflow_definitions, workflow_runs, workflow_run_state,
	workflow_steps, workflow_events, nodes, workers;
