/* What the tools of heartbeats share. They are the engine's own: only a workflow of its
 * may use them, and no name of a user's begins like that. */
#ifndef TOOLS_HEARTBEAT_TOOLS_H
#define TOOLS_HEARTBEAT_TOOLS_H

#include "actions/action.h"

#define OWN_WORKFLOWS "stepmill."

/* The schedule of the arguments, in a run of the engine's own. False: the attempt has
 * failed. */
bool heartbeat_schedule(struct attempt *attempt, const char *tool, struct uuid *out);

#endif
