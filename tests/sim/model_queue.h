/* The model of Redis: entries that may be forgotten, doubled and mixed up. */
#ifndef SIM_MODEL_QUEUE_H
#define SIM_MODEL_QUEUE_H

#include "base/step_ref.h"
#include "random.h"

#define QUEUE_ROOM 4096

struct model_queue {
	struct step_ref entries[QUEUE_ROOM];
	int count;
};

void model_queue_push(struct model_queue *queue, const struct step_ref *ref);
/* Up to `most`, mostly the oldest; with faults any of them, some of them twice. */
int model_queue_pop(struct model_queue *queue, struct random *random, bool faults,
		    struct step_ref *out, int most);
void model_queue_forget(struct model_queue *queue);

#endif
