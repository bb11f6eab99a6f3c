/*
 * Fork and exec of one child with exactly the descriptors of loop/parent.h, default
 * signals, and a process group of its own. Not for the programs that steps run.
 */
#ifndef POOL_SPAWN_H
#define POOL_SPAWN_H

#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"

struct spawn_spec {
	const char *const *argv; /* argv[0]: path of the program; NULL at the end */
	const int *sockets;      /* become 4, 5, ... in the child, named in the
				    environment as STEPMILL_LISTEN_FDS */
	size_t sockets_count;
};

/* On success *channel is our end of the child's descriptor 3. A program that cannot be
 * executed shows as exit code 78, or 75 when it may work later. */
int spawn(const struct spawn_spec *spec, pid_t *pid, int *channel, struct err *err);

#endif
