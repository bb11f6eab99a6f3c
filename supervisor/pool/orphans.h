/*
 * What dead children leave behind. The parent is the reaper of its descendants: when a
 * worker dies, the programs of its steps become the parent's children, whatever session
 * or group they made for themselves.
 */
#ifndef POOL_ORPHANS_H
#define POOL_ORPHANS_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"

typedef bool orphans_known_fn(void *context, pid_t pid);

int orphans_adopt(struct err *err); /* from now on orphans come to this process */
/* SIGKILL to every child that is not known. Returns how many there were; what those
 * leave behind in turn comes with their deaths, so: again until 0. -1 with errno when
 * children cannot be listed. */
int orphans_kill(orphans_known_fn *known, void *context);

#endif
