/*
 * The processes below one of ours, by reading /proc once. libc only: stepmill-init is
 * built with it as well.
 */
#ifndef WORKER_DESCENDANTS_H
#define WORKER_DESCENDANTS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

typedef void descendant_fn(void *context, pid_t pid, bool child /* of top itself */);

/* Calls fn for everything below top but the spared processes and what is below them.
 * What forks meanwhile may be missed: repeat until none is left. How many there were.
 */
size_t descendants_each(pid_t top, const pid_t *spared, size_t spared_count,
			descendant_fn *fn, void *context);

#endif
