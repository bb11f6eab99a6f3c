/*
 * An earlier session taken up again: found by its name or id, its files copied back to
 * where they were in HOME.
 */
#ifndef AGENT_RESUMING_H
#define AGENT_RESUMING_H

#include "agent/home.h"

struct resuming;

/* Called once on a later turn: the agent's own id of the session (borrowed). NULL: it
 * cannot be taken up, and the code and message say why; final: ever. */
struct resumed {
	const char *external;
	const struct json
	    *sums; /* that it told of the session, see spending.h; or NULL */
	const char *code, *message;
	bool final;
};
typedef void resumed_fn(void *context, const struct resumed *resumed);

struct resuming *resuming_new(const struct attempt *attempt, const struct home *home,
			      const struct agent *agent, const struct uuid *self,
			      const char *text, resumed_fn *done, void *context);
void resuming_free(struct resuming **resuming_p);

#endif
