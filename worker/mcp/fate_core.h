/*
 * Pure: what becomes of a call whose server went away, and how soon a server that fails
 * is tried again. A call that may have taken effect is not made twice, unless its tool
 * says that this does no harm.
 */
#ifndef MCP_FATE_CORE_H
#define MCP_FATE_CORE_H

#include <stdbool.h>

#include "base/usec.h"

#define MCP_FAILURES_MAX 3 /* of a server, one after another: then calls fail */
#define MCP_REDONE_MAX   2 /* how often a call is made again that had no effect */

enum mcp_fate {
	MCP_REDO,      /* nothing happened: made again, no attempt is spent */
	MCP_UNREACHED, /* nothing happened, and it is no use to go on */
	MCP_MAY_RETRY, /* the attempt failed; the step's `retry` may try again */
	MCP_NO_RETRY,  /* the effect is unknown: the step fails for good */
	MCP_FATES
};

struct mcp_case {
	bool sent;       /* the server may have got it */
	bool idempotent; /* its tool says so */
	bool final;      /* what went wrong will go wrong again */
	int redone;
};

enum mcp_fate mcp_fate(const struct mcp_case *it);
/* How long a server rests after its n-th failure in a row. */
usec_t mcp_rest(int failures);
/* A word for attempt_fail. */
const char *mcp_fate_code(enum mcp_fate fate);

#endif
