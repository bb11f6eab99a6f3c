/* The order of sequence style: branches come before this, see advance_core.c. */
#include "engine/sequence_core.h"

/* From this index on, the first that is in no block. */
static int
at_the_top(const struct workflow *workflow, size_t index)
{
	for (; index < workflow->steps_count; index++)
		if (workflow->steps[index].owner == NO_STEP)
			return (int)index;
	return TARGET_END;
}

int
sequence_first(const struct workflow *workflow)
{
	return at_the_top(workflow, 0);
}

int
sequence_after_skip(const struct workflow *workflow, const struct step_def *step)
{
	if (step->owner == NO_STEP)
		return at_the_top(workflow, (size_t)step->index + 1);
	return step->block_next != NO_STEP ? step->block_next : TARGET_BLOCK_END;
}

int
sequence_after_success(const struct workflow *workflow, const struct step_def *step)
{
	if (step->on_success != TARGET_NONE)
		return step->on_success;
	return sequence_after_skip(workflow, step);
}

int
sequence_after_failure(const struct workflow *workflow, const struct step_def *step)
{
	if (step->on_failure != TARGET_NONE)
		return step->on_failure;
	if (step->continue_on_error)
		return sequence_after_success(workflow, step);
	return TARGET_NONE;
}
