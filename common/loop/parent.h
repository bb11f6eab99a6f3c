/*
 * What a child of the supervisor's parent finds: descriptor 0 is /dev/null, 1 and 2 are
 * the log, 3 is the control channel (a stream socket, one line a message). End-of-file
 * on it means that the parent is gone.
 *
 * child -> parent: "ready", "slots USED/ALL", and from the front "scale N" and "drain"
 *                  (as SIGTERM to the parent)
 * parent -> child: "dead WORKER-ID HOW" (declare it dead, requeue its steps; how it
 * ended: base/ending.h), "drain" (finish what is in hand, then exit 0), "drain now"
 * (patience is over: hand back what is unfinished and exit 0; SIGKILL follows after
 * 5 s), "pool {json}" (to the front: what GET /api/pool shows) Signals: SIGHUP to a
 * child that said "ready": read the configuration again. Exit codes: 0 asked to stop,
 * 75 try again later, 78 the configuration is wrong (do not restart), anything else is
 * a crash.
 */
#ifndef LOOP_PARENT_H
#define LOOP_PARENT_H

#include <stdbool.h>

#include "loop/loop.h"

#define PARENT_FD       3
#define EXIT_TRY_AGAIN  75
#define EXIT_CONFIG     78
#define PARENT_LINE_MAX 16384

struct parent;

typedef void parent_line_fn(void *context, const char *line);
typedef void parent_gone_fn(void *context);

/* NULL without error when this process has no parent of that kind (started by hand):
 * told by the environment variable STEPMILL_PARENT. */
struct parent *parent_new(struct loop *loop, parent_line_fn *on_line,
			  parent_gone_fn *on_gone, void *context);
void parent_free(struct parent **parent_p);
void parent_say(struct parent *parent, const char *format, ...)
    __attribute__((format(printf, 2, 3))); /* nothing when parent is NULL */

#endif
