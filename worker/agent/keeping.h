/*
 * The files of a session, kept when its program has ended: copied from HOME into the
 * run's folder, each an artifact of type SESSION_FILE that belongs to the session and
 * says where it was. By them another step can take the session up again.
 */
#ifndef AGENT_KEEPING_H
#define AGENT_KEEPING_H

#include "agent/home.h"

#define SESSION_FILE_MAX ((int64_t)256 * 1024 * 1024)

struct keeping;

/* Called once on a later turn: path of the first file in the project, or NULL when none
 * was kept. What could not be kept stands in the step's log. */
typedef void kept_fn(void *context, const char *path);

/* external: the agent's own id of the session, or empty. */
struct keeping *keeping_new(const struct attempt *attempt, const struct home *home,
			    const struct agent *agent, const struct uuid *session,
			    const char *external, kept_fn *done, void *context);
void keeping_free(struct keeping **keeping_p);

#endif
