/*
 * Removes folders of runs, with all that is in them, in a child process: neither a
 * large file nor a storage that does not answer holds up what is due meanwhile. What
 * was removed before costs nothing, so a removal that was cut short is simply repeated.
 */
#ifndef SCHEDULER_REMOVAL_H
#define SCHEDULER_REMOVAL_H

#include <stdbool.h>
#include <stddef.h>

#include "loop/loop.h"

#define REMOVAL_MOST 100 /* folders at once */

struct removal;

struct removal_folder {
	const char *project; /* an absolute path */
	const char *path;    /* relative to it */
};

struct removal_result {
	bool gone; /* nothing is left of it, or nothing was there */
	char why[159];
};

/* One for each folder, in their order; valid during the callback only. Called once, on
 * a later turn, when the child is gone. */
typedef void removal_fn(void *context, const struct removal_result *results,
			size_t count);

/* Folders are borrowed for the call. A child that cannot be made is a failure of all.
 */
struct removal *removal_new(struct loop *loop, const struct removal_folder *folders,
			    size_t count, removal_fn *done, void *context);
/* Also inside done. A child that is still at work is killed; only who ends then does
 * not wait for it. */
void removal_free(struct removal **removal_p);

#endif
