/*
 * One child process as the parent sees it: its channel, line by line, and its last
 * words. Which children there are is the business of pool_core.
 */
#ifndef POOL_CHILD_H
#define POOL_CHILD_H

#include <stdbool.h>
#include <sys/resource.h>

#include "base/ending.h"
#include "loop/loop.h"
#include "pool/child_line_core.h"
#include "pool/pool_core.h"
#include "pool/spawn.h"

struct child;

typedef void child_line_fn(void *context, struct child *child,
			   const struct child_line *line);

/* Lines that make no sense are logged and passed over. A line without end closes the
 * channel, and a child without channel finishes and leaves. */
struct child *child_start(struct loop *loop, const struct spawn_spec *spec, bool front,
			  child_line_fn *on_line, void *context, struct err *err);
void child_free(struct child **child_p); /* closes the channel; the process stays */
pid_t child_pid(const struct child *child);
/* false: it does not listen (any more), the line is lost. */
bool child_say(struct child *child, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Of wait's status. */
enum seat_event child_end(int status);
/* Of wait's status and usage. ordered: as pool_core_ended says. */
struct ending child_ending(int status, const struct rusage *usage, bool ordered);
/* Says how a process ended. seat: as it was before pool_core_ended, whose answer is
 * end. */
void child_log_end(const struct seat *seat, const struct seat_end *end, int status,
		   const struct rusage *usage);

#endif
