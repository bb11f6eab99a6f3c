/* A short list. What is past its end is not kept, as in the real one. */
#include "model_queue.h"

#include <string.h>

void
model_queue_push(struct model_queue *queue, const struct step_ref *ref)
{
	if (queue->count < QUEUE_ROOM)
		queue->entries[queue->count++] = *ref;
}

static void
take(struct model_queue *queue, int place)
{
	queue->count--;
	memmove(queue->entries + place, queue->entries + place + 1,
		(size_t)(queue->count - place) * sizeof queue->entries[0]);
}

int
model_queue_pop(struct model_queue *queue, struct random *random, bool faults,
		struct step_ref *out, int most)
{
	int count = 0;

	while (count < most && queue->count > 0) {
		int place = faults && random_is(random, 100)
				? random_below(random, queue->count)
				: 0;
		struct step_ref ref = queue->entries[place];

		if (!(faults && random_is(random, 30))) /* else it is doubled */
			take(queue, place);
		if (!(faults && random_is(random, 30))) /* else it is lost */
			out[count++] = ref;
	}
	return count;
}

void
model_queue_forget(struct model_queue *queue)
{
	queue->count = 0;
}
