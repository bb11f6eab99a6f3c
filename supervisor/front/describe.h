/*
 * Asks workflow programs what they are: `stepmill-worker --describe FILE` beside this
 * binary, a process of its own that runs them as workers do. Nothing here waits for it.
 */
#ifndef FRONT_DESCRIBE_H
#define FRONT_DESCRIBE_H

#include "base/doc.h"
#include "conf/settings.h"
#include "loop/loop.h"
#include "json/json.h"

struct describe;

/* Once, on a later turn. manifest: the text of what is to be registered, or NULL with
 * at least one problem, whose place is in the program's file. Both borrowed. */
typedef void describe_fn(void *context, const char *manifest,
			 const struct problems *problems);

struct describe *describe_new(struct loop *loop, const struct settings *settings,
			      const char *path, describe_fn *done, void *context);
void describe_free(struct describe **describe_p); /* ends it; done does not come */

#endif
