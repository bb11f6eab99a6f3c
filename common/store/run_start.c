/* See run_start.h. */
#include "store/run_start.h"

struct json *
start_input(const struct json *input)
{
	return input != NULL ? json_storable(json_ref((struct json *)input), NULL)
			     : json_new_object();
}

struct new_run
start_run(const struct starter *starter, struct json *input,
	  const char *concurrency_key, usec_t now)
{
	const struct workflow *workflow = starter->workflow;

	return (struct new_run){
		.id = uuid7_new(now),
		.definition = starter->definition,
		.workflow_name = workflow->name,
		.project = starter->project,
		.idempotency_key = starter->key,
		.input = input,
		.priority =
		    starter->has_priority ? starter->priority : workflow->priority,
		.triggered_by = starter->triggered_by,
		.schedule = starter->schedule,
		.trigger = starter->trigger,
		.requested_by = starter->requested_by,
		.tools = starter->tools,
		.address = starter->address,
		.trace_id = starter->trace_id,
		.timeout = workflow->timeout,
		.run_at = starter->run_at,
		.concurrency_key = concurrency_key,
		.concurrency_limit = (int)workflow->concurrency,
		.crash_on_interrupt = workflow->crash_on_interrupt,
	};
}
