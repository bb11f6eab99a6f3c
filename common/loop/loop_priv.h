/* What the rooms of the loop share: only files of this folder include it. */
#ifndef LOOP_LOOP_PRIV_H
#define LOOP_LOOP_PRIV_H

#include <stdbool.h>
#include <stddef.h>

#include <event2/event.h>
#include <event2/event_struct.h>

#include "base/usec.h"
#include "loop/loop.h"

#define LAG_SECONDS 10

struct deferred {
	loop_fn *fn;
	void *context;
};

struct deferred_list {
	struct deferred *list;
	size_t count, capacity;
};

struct lag {
	int64_t second; /* of the monotonic clock; tells whether it still counts */
	usec_t longest;
};

struct loop {
	struct event_base *base;
	struct deferred_list deferred,
	    spare;        /* the one that fills, the one that runs */
	usec_t now, mono; /* valid in a turn */
	bool in_turn, running, stopping;
	struct lag lags[LAG_SECONDS];
};

/* Every callback of libevent calls this first: the first one of a turn reads the time.
 */
void loop_begin_turn(struct loop *loop);

#endif
