/* The bells of a batch. See batch_bells.h. */
#include "front/batch_bells.h"

#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/xalloc.h"
#include "front/admits.h"

#define PUSH_MOST 1000 /* entries at once */

struct bell {
	int number;
	char queue[QUEUE_NAME_MAX + 1];
};

struct batch_bells {
	enum priority priority;
	struct bell *ready; /* first steps that need nothing */
	size_t ready_count;
	struct uuid *runs; /* that began */
	size_t count;
	struct map *keys; /* of those that wait; each stands for itself */
};

struct batch_bells *
batch_bells_new(enum priority priority, const struct new_step *steps,
		size_t steps_count, size_t most)
{
	struct batch_bells *bells = xcalloc(1, sizeof *bells);

	bells->priority = priority;
	bells->ready = xcalloc(steps_count, sizeof *bells->ready);
	bells->runs = xcalloc(most, sizeof *bells->runs);
	bells->keys = map_new();
	for (size_t i = 0; i < steps_count; i++)
		if (steps[i].needs == 0) {
			struct bell *bell = &bells->ready[bells->ready_count++];

			bell->number = steps[i].number;
			strncpy(bell->queue, steps[i].queue, QUEUE_NAME_MAX);
		}
	return bells;
}

void
batch_bells_free(struct batch_bells **bells_p)
{
	struct batch_bells *bells = *bells_p;

	if (bells == NULL)
		return;
	*bells_p = NULL;
	map_free(&bells->keys, NULL);
	free(bells->ready);
	free(bells->runs);
	free(bells);
}

void
batch_bells_add(struct batch_bells *bells, const struct uuid *run, const char *key)
{
	if (key != NULL)
		map_put(bells->keys, key, strlen(key) + 1, bells);
	else
		bells->runs[bells->count++] = *run;
}

static void
push(struct queue *queue, const struct batch_bells *bells, const struct bell *bell)
{
	struct step_ref refs[PUSH_MOST];
	size_t n = 0;

	for (size_t i = 0; i < bells->count; i++) {
		refs[n++] = (struct step_ref){ bells->runs[i], bell->number };
		if (n == PUSH_MOST || i + 1 == bells->count) {
			queue_push(queue, bell->queue, bells->priority, refs, n);
			n = 0;
		}
	}
}

static void
ring(struct front *front, void *context)
{
	const struct batch_bells *bells = context;
	const void *key;
	size_t cursor = 0;

	for (size_t i = 0; i < bells->ready_count; i++)
		push(front->queue, bells, &bells->ready[i]);
	while (map_next(bells->keys, &cursor, &key, NULL, NULL))
		admits_add(front->admits, key);
}

static void
free_hung(void *context)
{
	struct batch_bells *bells = context;

	batch_bells_free(&bells);
}

void
batch_bells_hang(struct batch_bells **bells_p, struct change *change)
{
	change_after(change, ring, *bells_p, free_hung);
	*bells_p = NULL;
}
