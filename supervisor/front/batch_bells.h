/* Who is told of a batch's runs once they are committed: a bell per step that is ready,
 * many to a push; and keys of limited runs, of which some may begin. */
#ifndef FRONT_BATCH_BELLS_H
#define FRONT_BATCH_BELLS_H

#include "front/change.h"
#include "store/runs.h"

struct batch_bells;

/* Every run has these first steps, whose queues are copied. most: of runs. */
struct batch_bells *batch_bells_new(enum priority priority,
				    const struct new_step *steps, size_t steps_count,
				    size_t most);
void batch_bells_free(struct batch_bells **bells_p);
/* key: of its concurrency, copied, or NULL. */
void batch_bells_add(struct batch_bells *bells, const struct uuid *run,
		     const char *key);
/* They ring after the change's commit; taken. */
void batch_bells_hang(struct batch_bells **bells_p, struct change *change);

#endif
