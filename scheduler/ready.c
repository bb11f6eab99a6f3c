/* Pushes in as few commands as there are lists: refs of one list travel together. */
#include "ready.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

static int
by_list(const void *left, const void *right)
{
	const struct ready_ref *a = *(const struct ready_ref *const *)left;
	const struct ready_ref *b = *(const struct ready_ref *const *)right;
	int names = strcmp(a->queue, b->queue);

	if (names != 0)
		return names;
	if (a->priority != b->priority)
		return a->priority < b->priority ? -1 : 1;
	return a < b ? -1 : 1; /* in the order in which they came */
}

static bool
same_list(const struct ready_ref *a, const struct ready_ref *b)
{
	return a->priority == b->priority && strcmp(a->queue, b->queue) == 0;
}

void
ready_push(struct queue *queue, const struct ready_ref *refs, size_t count)
{
	const struct ready_ref **sorted;
	struct step_ref *group;
	size_t len;

	if (queue == NULL || count == 0)
		return;
	sorted = xcalloc(count, sizeof(struct ready_ref *));
	group = xcalloc(count, sizeof *group);
	for (size_t i = 0; i < count; i++)
		sorted[i] = &refs[i];
	qsort(sorted, count, sizeof sorted[0], by_list);
	for (size_t i = 0; i < count; i += len) {
		for (len = 0; i + len < count && same_list(sorted[i], sorted[i + len]);
		     len++)
			group[len] = sorted[i + len]->ref;
		queue_push(queue, sorted[i]->queue, sorted[i]->priority, group, len);
	}
	free(group);
	free(sorted);
}
