/* Pure: from the outcome of an attempt to what is stored. See finish_core.h. */
#include "finish_core.h"

#include <string.h>

#include "bulk_core.h"

static void
plan_next(struct finish_plan *plan, const struct run *run)
{
	const struct next_step *next;

	if (plan->verdict.next_count == 0)
		return;
	next = &plan->verdict.next[0];
	plan->next = &run->workflow->steps[next->index];
	plan->item.next = (struct finish_next){
		.key = plan->next->id,
		.number = next->number,
		.queue = plan->next->queue,
		.max_attempts = plan->next->retry.max_attempts,
	};
}

/* The workflow's `output` may name large outputs any number of times. */
static void
bound_output(struct verdict *verdict)
{
	if (bulk_of(verdict->run_output, BULK_MAX) <= BULK_MAX)
		return;
	json_unref(&verdict->run_output);
	verdict->run_status = RUN_FAILED;
	verdict->run_error = step_error("output_too_large",
					"the run's output is larger than 64 MiB; write "
					"it to a file or attach it as an artifact");
}

void
finish_plan(struct finish_plan *plan, struct run *run, const struct held_step *held,
	    const struct outcome *outcome, usec_t now, uint64_t random)
{
	struct verdict *verdict = &plan->verdict;

	memset(plan, 0, sizeof *plan);
	advance_on(run, held, outcome, now, random, verdict);
	bound_output(verdict);
	plan->item = (struct finish_item){
		.run = run->id,
		.number = held->number,
		.status = verdict->status,
		.phase = verdict->phase,
		.output =
		    step_is_over(verdict->status) || verdict->status == STEP_RETRYING
			? outcome->output
			: NULL,
		.error = verdict->error,
		.run_at = verdict->run_at,
		.will_retry = verdict->status == STEP_RETRYING,
		.only_waits = verdict->only_waits,
		.run_status = verdict->run_status,
		.run_output = verdict->run_output,
		.run_error =
		    verdict->run_status == RUN_RUNNING ? NULL : verdict->run_error,
		.workflow = run->workflow,
		.verdict = verdict,
	};
	plan_next(plan, run);
}

/* Takes the value. */
static void
hide(struct json **value_p, const struct mask *mask)
{
	*value_p = json_masked(*value_p, mask);
}

void
finish_plan_mask(struct finish_plan *plan, const struct mask *mask)
{
	struct verdict *verdict = &plan->verdict;
	struct finish_item *item = &plan->item;
	bool has_run_error = item->run_error != NULL;

	hide(&verdict->error, mask);
	hide(&verdict->run_output, mask);
	hide(&verdict->run_error, mask);
	hide(&verdict->join_error, mask);
	hide(&verdict->spawn.items, mask);
	item->error = verdict->error;
	item->run_output = verdict->run_output;
	item->run_error = has_run_error ? verdict->run_error : NULL;
}

void
finish_plan_fini(struct finish_plan *plan)
{
	verdict_fini(&plan->verdict);
	memset(plan, 0, sizeof *plan);
}
