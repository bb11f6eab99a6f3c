/* The order of sequence style: branches come before this, see advance_core.c. */
#include "engine/sequence_core.h"

int
sequence_after_success(const struct workflow *workflow, const struct step_def *step)
{
	if (step->on_success != TARGET_NONE)
		return step->on_success;
	if ((size_t)step->index + 1 < workflow->steps_count)
		return step->index + 1;
	return TARGET_END;
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
