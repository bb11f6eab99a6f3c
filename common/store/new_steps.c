/* What a run begins with, as rows. */
#include <stdlib.h>

#include "base/xalloc.h"
#include "engine/advance_core.h"
#include "store/runs.h"

struct new_step *
new_steps_from(const struct workflow *workflow, const struct first_step *first,
	       size_t count)
{
	struct new_step *steps = xcalloc(count, sizeof *steps);

	for (size_t i = 0; i < count; i++) {
		const struct step_def *step = first[i].index == END_INDEX
						  ? &workflow->end
						  : &workflow->steps[first[i].index];

		steps[i] = (struct new_step){ .key = step->id,
					      .queue = step->queue,
					      .number = first[i].number,
					      .max_attempts = step->retry.max_attempts,
					      .needs = first[i].needs,
					      .parent = first[i].parent };
	}
	return steps;
}

struct new_step *
new_steps_of(const struct workflow *workflow, size_t *count)
{
	struct first_step *first = advance_start(workflow, count);
	struct new_step *steps = new_steps_from(workflow, first, *count);

	free(first);
	return steps;
}
