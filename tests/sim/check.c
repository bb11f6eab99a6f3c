/* The invariants, each with its own words. Whoever is violated ends the program. */
#include "check.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct sim *watched;

/* ---- telling ---- */

void
check_begin(const struct sim *sim)
{
	watched = sim;
}

static const char *
key_of(const struct sim_step *step)
{
	return step->index == END_INDEX ? "(end)" : step_def_of(step)->id;
}

static void
show_step(const struct sim_step *step)
{
	char *error = json_text(step->error);

	fprintf(stderr,
		"  %3d %-8s %-16s phase %d attempt %d fence %d worker %d needs %d "
		"parent %d index %d iteration %d%s%s run_at %lld error %.120s\n",
		step->number, key_of(step), step_status_name(step->status),
		(int)step->phase, step->attempt, step->fence, step->worker, step->needs,
		step->parent, step->item_index, step->iteration,
		step->is_item ? " item" : "", step->ready ? " ready" : "",
		(long long)step->run_at, error);
	free(error);
}

void
check_show(const struct sim_run *run)
{
	fprintf(stderr, "%s\nrun %lld of %s: %s, paused by %d, last_seq %lld\n",
		run->flow->text, (long long)run->id, run->flow->workflow->name,
		run_status_name(run->status), (int)run->paused_by,
		(long long)run->last_seq);
	for (int i = 0; i < run->steps_count; i++)
		show_step(run->steps[i]);
	for (int i = 0; i < run->approvals_count; i++)
		fprintf(stderr, "  approval of %d: %s\n", run->approvals[i].number,
			approval_status_name(run->approvals[i].status));
}

void
violated(const struct sim_run *run, const char *format, ...)
{
	va_list args;

	if (run != NULL)
		check_show(run);
	fprintf(stderr, "violated (seed %llu, step %ld, turn %ld): ",
		(unsigned long long)watched->seed, watched->stats.results,
		watched->stats.turns);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(EXIT_FAILURE);
}

/* ---- events ---- */

static void
check_events(const struct sim_run *run)
{
	if (run->events_count != run->last_seq || run->events_high != run->last_seq)
		violated(run, "%lld events up to number %lld, and last_seq is %lld",
			 (long long)run->events_count, (long long)run->events_high,
			 (long long)run->last_seq);
}

static int
count_events(const struct sim_run *run, enum event_type type, int number)
{
	int count = 0;

	for (int64_t i = 0; i < run->last_seq; i++)
		count += run->events[i].type == type && run->events[i].number == number;
	return count;
}

static void
check_end_event(const struct sim_run *run)
{
	enum event_type type = run_end_event(run->status);

	if (run->events[run->last_seq - 1].type != type ||
	    count_events(run, type, 0) != 1)
		violated(run, "%s is not the last event, once", event_type_name(type));
}

/* A result is recorded once. */
static void
check_step_events(const struct sim_run *run, const struct sim_step *step)
{
	static const struct {
		enum step_status status;
		enum event_type type;
	} ends[] = { { STEP_COMPLETED, EVENT_STEP_COMPLETED },
		     { STEP_SKIPPED, EVENT_STEP_SKIPPED } };

	for (size_t i = 0; i < sizeof ends / sizeof ends[0] && step->number > 0; i++) {
		int count = count_events(run, ends[i].type, step->number);

		if (count != (step->status == ends[i].status))
			violated(run, "step %d is %s, and %d events say %s",
				 step->number, step_status_name(step->status), count,
				 event_type_name(ends[i].type));
	}
}

/* ---- rows ---- */

/* workflow_steps_shape */
static void
check_shape(const struct sim_run *run, const struct sim_step *step)
{
	if ((step->status == STEP_RUNNING) != (step->worker != 0))
		violated(run, "step %d is %s, and its worker is %d", step->number,
			 step_status_name(step->status), step->worker);
	if (step->status == STEP_QUEUED && !step->ready)
		violated(run, "step %d is queued and was never ready", step->number);
	if (step->status == STEP_RETRYING && step->run_at == 0)
		violated(run, "step %d is tried again at no time", step->number);
	if (step->needs < -1)
		violated(run, "step %d waits for %d things", step->number, step->needs);
}

static bool
is_active(const struct sim_step *step)
{
	return !step_is_over(step->status) &&
	       (step->status != STEP_PENDING || step->ready);
}

struct children_count {
	int open, active, items;
};

static struct children_count
count_children(const struct sim_run *run, int parent)
{
	struct children_count count = { 0 };

	for (int i = 0; i < run->steps_count; i++) {
		const struct sim_step *step = run->steps[i];

		if (step->parent != parent)
			continue;
		count.open += !step_is_over(step->status);
		count.active += is_active(step);
		count.items += step->is_item;
	}
	return count;
}

static void
check_waits_for_children(const struct sim_run *run, const struct sim_step *step)
{
	struct children_count count = count_children(run, step->number);
	int most = step_def_of(step)->max_parallel;

	if (count.open == 0 || step->needs != count.open)
		violated(run, "step %d waits for %d children, and %d are open",
			 step->number, step->needs, count.open);
	if (count.items == 0)
		return;
	if (most > 0 && count.active > most)
		violated(run, "%d items of step %d at once, of %d", count.active,
			 step->number, most);
	if (count.active < count.open && (most == 0 || count.active < most))
		violated(run, "step %d has %d of %d items at work, and %d wait",
			 step->number, count.active, most, count.open - count.active);
}

/* ---- graphs ---- */

static bool
is_open_in_graph(const struct sim_run *run, int index)
{
	for (int i = 0; i < run->steps_count; i++)
		if (run->steps[i]->index == index &&
		    run->steps[i]->parent == END_NUMBER &&
		    !step_is_over(run->steps[i]->status))
			return true;
	return false;
}

static int
open_sources(const struct sim_run *run, int index)
{
	const struct workflow *workflow = run->flow->workflow;
	int count = 0;

	for (size_t i = 0; i < workflow->steps_count; i++)
		for (size_t k = 0; k < workflow->steps[i].choices_count; k++)
			if (workflow->steps[i].choices[k] == index)
				count += is_open_in_graph(run, (int)i);
	return count;
}

static void
check_waits_in_graph(const struct sim_run *run, const struct sim_step *step)
{
	const struct step_def *def = step_def_of(step);
	int open = open_sources(run, step->index);

	for (size_t i = 0; i < def->needs_count; i++)
		open += is_open_in_graph(run, def->needs[i]);
	if (step->needs != open || open == 0)
		violated(run, "step %d waits for %d things, and %d are open",
			 step->number, step->needs, open);
}

static void
check_end_row(const struct sim_run *run, const struct sim_step *step)
{
	struct children_count count = count_children(run, END_NUMBER);

	if (step->needs != count.open)
		violated(run, "the end waits for %d rows, and %d are open", step->needs,
			 count.open);
	if (count.open == 0 && !step->ready)
		violated(run, "the end waits for nothing, and is not ready");
}

static void
check_waiting(const struct sim_run *run, const struct sim_step *step)
{
	if (step->status == STEP_WAITING && step->phase == PHASE_CHILDREN)
		check_waits_for_children(run, step);
	else if (step->number == END_NUMBER && step->status == STEP_PENDING)
		check_end_row(run, step);
	else if (step->status == STEP_PENDING && !step->ready &&
		 step->parent == END_NUMBER)
		check_waits_in_graph(run, step);
	else if (step->status == STEP_PENDING && !step->ready && !step->is_item)
		violated(run, "step %d waits for nothing that is known", step->number);
}

/* ---- what moves it ---- */

static bool
has_open_approval(const struct sim_run *run, int number)
{
	for (int i = 0; i < run->approvals_count; i++)
		if (run->approvals[i].number == number &&
		    run->approvals[i].status == APPROVAL_PENDING)
			return true;
	return false;
}

static bool
has_open_child_run(const struct sim *sim, const struct sim_run *run, int number)
{
	list_each (link, &sim->store.open) {
		const struct sim_run *child = container_of(link, struct sim_run, link);

		if (child->parent_run == run->id && child->parent_step == number &&
		    (!run_is_over(child->status) || child->status == RUN_CRASHED))
			return true;
	}
	return false;
}

static void
check_moves(const struct sim *sim, const struct sim_run *run,
	    const struct sim_step *step)
{
	if (step->status == STEP_WAITING && step->phase != PHASE_CHILDREN &&
	    step->run_at == 0 && !has_open_child_run(sim, run, step->number))
		violated(run, "step %d waits for a run that is over", step->number);
	if (step->status == STEP_WAITING_APPROVAL &&
	    !has_open_approval(run, step->number))
		violated(run, "step %d waits for a decision that nobody can make",
			 step->number);
	if (step->status == STEP_PENDING && step->ready && run->status == RUN_RUNNING)
		violated(run, "step %d is ready, and its run goes on without it",
			 step->number);
	if (step->status == STEP_QUEUED && run->status != RUN_RUNNING)
		violated(run, "step %d is queued, and its run is %s", step->number,
			 run_status_name(run->status));
	if (step->status == STEP_RUNNING && run->status == RUN_RUNNING &&
	    run->deadline_at == 0)
		violated(run, "step %d runs, and the run's time stands still",
			 step->number);
}

static bool
is_at_work(const struct sim_step *step)
{
	return step->status == STEP_QUEUED || step->status == STEP_RUNNING ||
	       step->status == STEP_RETRYING ||
	       (step->status == STEP_WAITING && step->phase != PHASE_CHILDREN);
}

/* One that runs has something to do; if it waits for people only, it is paused. */
static void
check_life(const struct sim_run *run)
{
	int at_work = 0, open = 0;

	for (int i = 0; i < run->steps_count; i++) {
		at_work += is_at_work(run->steps[i]);
		open += !step_is_over(run->steps[i]->status);
	}
	if (open == 0)
		violated(run, "it is %s, and none of its steps is open",
			 run_status_name(run->status));
	if (run->status == RUN_RUNNING && at_work == 0)
		violated(run, "it runs, and nothing moves it");
}

/* Rows but items: not more than maxSteps; in a graph each line may try one more. */
static void
check_count(const struct sim_run *run)
{
	const struct workflow *workflow = run->flow->workflow;
	int count = 0, most = workflow->max_steps;

	for (int i = 0; i < run->steps_count; i++)
		count += run->steps[i]->number > 0 && !run->steps[i]->is_item;
	if (workflow->graph)
		most += (int)workflow->steps_count;
	if (count > most)
		violated(run, "%d steps, and maxSteps is %d", count,
			 workflow->max_steps);
}

static void
check_nothing_open(const struct sim_run *run)
{
	for (int i = 0; i < run->steps_count; i++)
		if (!step_is_over(run->steps[i]->status))
			violated(run, "it is %s, and step %d is %s",
				 run_status_name(run->status), run->steps[i]->number,
				 step_status_name(run->steps[i]->status));
	for (int i = 0; i < run->approvals_count; i++)
		if (run->approvals[i].status == APPROVAL_PENDING)
			violated(run, "it is %s, and somebody is still asked",
				 run_status_name(run->status));
}

void
check_run(const struct sim *sim, const struct sim_run *run)
{
	check_events(run);
	check_count(run);
	if (run_is_over(run->status)) {
		check_nothing_open(run);
		return;
	}
	for (int i = 0; i < run->steps_count; i++) {
		check_shape(run, run->steps[i]);
		check_waiting(run, run->steps[i]);
		check_moves(sim, run, run->steps[i]);
	}
	check_life(run);
}

void
check_concurrency(const struct sim *sim, const struct flow *flow)
{
	long count = 0;

	if (flow->workflow->concurrency == 0)
		return;
	list_each (link, &sim->store.open) {
		const struct sim_run *run = container_of(link, struct sim_run, link);

		count += run->flow == flow &&
			 (run->status == RUN_RUNNING || run->status == RUN_PAUSED);
	}
	if (count > flow->workflow->concurrency)
		violated(NULL, "%ld runs of %s at once", count, flow->workflow->name);
}

/* ---- how it ended ---- */

static bool
is_code(const struct json *error, const char *code)
{
	const char *text = json_str(json_get(error, "code"));

	return text != NULL && strcmp(text, code) == 0;
}

/* Only what was cut short failed, and a step led to the end: that completes it. */
static void
check_led_to_end(const struct sim_run *run)
{
	if (!run->led_to_end || run->status != RUN_FAILED)
		return;
	for (int i = 0; i < run->steps_count; i++)
		if (run->steps[i]->status == STEP_FAILED &&
		    !is_code(run->steps[i]->error, "cancelled"))
			return;
	if (is_code(run->error, "cancelled"))
		violated(run, "a step led to the end, and the run failed of what that "
			      "cut short");
}

void
check_ended(const struct sim *sim, const struct sim_run *run)
{
	(void)sim;
	check_end_event(run);
	for (int i = 0; i < run->steps_count; i++)
		check_step_events(run, run->steps[i]);
	if ((run->status == RUN_FAILED) != (run->error != NULL))
		violated(run, "it is %s, and has %s error",
			 run_status_name(run->status),
			 run->error != NULL ? "an" : "no");
	check_led_to_end(run);
}

void
check_all_ended(const struct sim *sim)
{
	list_each (link, &sim->store.open) {
		const struct sim_run *run = container_of(link, struct sim_run, link);

		if (!run_is_over(run->status) || run->status == RUN_CRASHED)
			violated(run, "nothing fails any more, and the run never ends");
	}
}
