/* A run shown while it goes on, to its end. */
#ifndef CLI_WATCH_H
#define CLI_WATCH_H

#include "server.h"

/* A line per step with its state and time, then how the run ended (--json: the whole
 * run, and nothing before). The exit status tells how it ended; timeout 0: it is waited
 * for as long as it takes. The run goes on when that is over, or at Ctrl-C. */
int watch_run(const struct command *command, const struct args *args,
	      struct server *server, const char *id, usec_t timeout);

#endif
