/*
 * What an `agent` step with `cli` wants, from its resolved fields: which agent of the
 * configuration, what it is asked, what it may do and use. A mistake is a failure of
 * the step before anything was started.
 */
#ifndef AGENT_ASSIGNMENT_H
#define AGENT_ASSIGNMENT_H

#include "actions/action.h"
#include "conf/agents.h"
#include "model/usage_core.h"

struct assignment {
	const struct agent *agent;
	const char *model;              /* as the agent calls it, or NULL: its own */
	const char *resume;             /* an earlier session, or NULL */
	const struct json *permissions; /* arguments, or NULL */
	struct budget budget, run_budget;
	struct buf prompt; /* with what outputSchema asks for */
	char *schema;      /* as text, or NULL */
};

/* False: the attempt has failed. assignment_fini in any case. */
bool assignment_read(struct assignment *assignment, struct attempt *attempt);
void assignment_fini(struct assignment *assignment);
/* The price of a model; false when the configuration has none. */
bool assignment_rate(const struct assignment *assignment, const char *model,
		     struct rate *rate);

#endif
