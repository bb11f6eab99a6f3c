/* The reasons of steps: by the status of each that is open. See why_step_core.h. */
#include "front/why_step_core.h"
#include "front/why_core.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

/* ---- of a step that is open ---- */

static int
status_at_top(const struct why *why, int index)
{
	const struct json *tops = json_get(why->facts, "tops");
	const char *id = why->workflow->steps[index].id;

	for (size_t i = 0; i < json_count(tops); i++)
		if (strcmp(json_str(json_at(json_at(tops, i), 0)), id) == 0)
			return (int)json_int(json_at(json_at(tops, i), 1));
	return STEP_PENDING;
}

static void
add_waited_for(const struct why *why, int index, struct json *list, struct buf *text)
{
	const char *id = why->workflow->steps[index].id;

	if (step_is_over((enum step_status)status_at_top(why, index)))
		return;
	if (text->len < 500)
		buf_printf(text, "%s\"%.100s\"", json_count(list) > 0 ? ", " : "", id);
	json_append(list, json_new_str(id));
}

static bool
may_choose(const struct step_def *step, int index)
{
	for (size_t i = 0; i < step->choices_count; i++)
		if (step->choices[i] == index)
			return true;
	return false;
}

/* Steps of a graph only; a row that is ready but held up tells nothing of its own. */
static void
tell_pending(struct why *why, const struct json *step)
{
	const struct step_def *def =
	    why->workflow ? workflow_step(why->workflow, why_text(step, "key")) : NULL;
	struct json *needs, *reason;
	struct buf text = { 0 };
	char name[WHY_NAME];

	if (why_number(step, "needs") <= 0)
		return;
	needs = json_new_array();
	for (size_t i = 0; def != NULL && i < def->needs_count; i++)
		add_waited_for(why, def->needs[i], needs, &text);
	for (size_t i = 0; def != NULL && i < why->workflow->steps_count; i++)
		if (may_choose(&why->workflow->steps[i], def->index))
			add_waited_for(why, (int)i, needs, &text);
	reason =
	    why_add(why, "dependency", step, "%s waits for %s", why_name(step, name),
		    text.len > 0 ? buf_text(&text) : "other steps");
	json_set(reason, "needs", needs);
	buf_fini(&text);
}

/* Why nobody takes it, where that is known: its word in the answer, and in the
 * message. */
struct cause {
	const char *word, *text;
	bool is_lasting; /* the queue may move, and this step does not */
};

static struct cause
cause_of(const struct json *step, const struct json *served)
{
	if (why_number(served, "workers") == 0)
		return (struct cause){ "no_worker", "no worker serves it", true };
	if (json_bool(json_get(step, "alone")))
		return (
		    struct cause){ "alone",
				   "its worker died before, so it waits for a worker "
				   "that can run it alone",
				   true };
	if (why_number(served, "free") == 0)
		return (struct cause){ "no_free_slot", "all slots are taken", false };
	return (struct cause){ 0 };
}

static void
tell_queued(struct why *why, const struct json *step)
{
	const char *queue = why_text(step, "queue");
	const struct json *served = json_get(json_get(why->facts, "queues"), queue);
	struct cause cause = cause_of(step, served);
	struct json *reason;
	char name[WHY_NAME];

	reason = why_add(
	    why, "queued", step,
	    "%s is ready in the queue \"%.100s\" (%s), served by %d worker%s "
	    "with %d free slot%s%s%s",
	    why_name(step, name), queue, why_text(step, "priority"),
	    why_number(served, "workers"),
	    why_number(served, "workers") == 1 ? "" : "s", why_number(served, "free"),
	    why_number(served, "free") == 1 ? "" : "s", cause.text != NULL ? ": " : "",
	    cause.text != NULL ? cause.text : "");
	why_copy(reason, "queue", step, "queue");
	why_copy(reason, "priority", step, "priority");
	why_copy(reason, "since", step, "readyAt");
	if (json_get(step, "before") != NULL)
		why_add_position(reason, why_number(step, "before"));
	why_copy(reason, "workers", served, "workers");
	why_copy(reason, "slots", served, "slots");
	why_copy(reason, "freeSlots", served, "free");
	if (cause.word != NULL)
		json_set(reason, "cause", json_new_str(cause.word));
	if (!cause.is_lasting)
		why_copy(reason, "expectedStart", step, "expectedStart");
}

static void
tell_running(struct why *why, const struct json *step)
{
	const struct json *worker = json_get(step, "worker");
	const char *host = why_text(worker, "host"), *id = why_text(worker, "id");
	const char *since = why_text(step, "startedAt");
	struct json *reason;
	char name[WHY_NAME];

	reason = why_add(why, "running", step,
			 "%s runs%s%s on worker %s%s%.200s (attempt %d)",
			 why_name(step, name), since != NULL ? " since " : "",
			 since != NULL ? since : "", id != NULL ? id : "(unknown)",
			 host != NULL ? " of " : "", host != NULL ? host : "",
			 why_number(step, "attempt"));
	why_copy(reason, "worker", step, "worker");
	why_copy(reason, "since", step, "startedAt");
	why_copy(reason, "attempt", step, "attempt");
}

static void
tell_retrying(struct why *why, const struct json *step)
{
	const char *until = why_text(step, "runAt");
	const char *said = why_text(json_get(step, "error"), "message");
	int attempt = why_number(step, "attempt") + 1;
	struct json *reason;
	char name[WHY_NAME];

	reason =
	    why_add(why, "retrying", step,
		    "%s failed%s%.500s; it is tried again at %s "
		    "(attempt %d of %d)",
		    why_name(step, name), said != NULL ? ": " : "",
		    said != NULL ? said : "", until, attempt, why_number(step, "of"));
	json_set(reason, "attempt", json_new_int(attempt));
	why_copy(reason, "of", step, "of");
	why_copy(reason, "error", step, "error");
	why_add_clock(why, reason, until);
}

static void
tell_approval(struct why *why, const struct json *step)
{
	const struct json *approval = json_get(step, "approval");
	const char *prompt = why_text(approval, "prompt");
	const char *expires = why_text(approval, "expiresAt");
	struct json *reason;
	char name[WHY_NAME];

	reason =
	    why_add(why, "waiting_approval", step,
		    "%s waits until somebody approves or denies%s%s%s%.500s",
		    why_name(step, name), expires != NULL ? ", at most until " : "",
		    expires != NULL ? expires : "", prompt != NULL ? ": " : "",
		    prompt != NULL ? prompt : "");
	why_copy(reason, "prompt", approval, "prompt");
	why_copy(reason, "since", approval, "at");
	why_copy(reason, "expiresAt", approval, "expiresAt");
}

static void
tell_event(struct why *why, const struct json *step)
{
	const struct step_def *def =
	    why->workflow ? workflow_step(why->workflow, why_text(step, "key")) : NULL;
	const char *when = def && def->when ? cel_source(def->when) : NULL;
	const char *until = why_text(step, "runAt");
	struct json *reason, *event = json_new_object();
	char name[WHY_NAME];

	reason = why_add(
	    why, "waiting_event", step, "%s waits for an event \"%.200s\"%s%.300s%s%s",
	    why_name(step, name), why_text(step, "event"), when != NULL ? " when " : "",
	    when != NULL ? when : "", until != NULL ? ", at most until " : "",
	    until != NULL ? until : "");
	why_copy(event, "type", step, "event");
	if (when != NULL)
		json_set(event, "when", json_new_str(when));
	json_set(reason, "event", event);
	why_copy(reason, "until", step, "runAt");
}

static void
tell_child(struct why *why, const struct json *step)
{
	const struct json *child = json_get(step, "child");
	struct json *reason;
	char name[WHY_NAME];

	reason = why_add(why, "child", step, "%s waits for the run %.200s, which is %s",
			 why_name(step, name), why_text(child, "runId"),
			 why_text(child, "status"));
	why_copy(reason, "childExecutionId", child, "executionId");
	why_copy(reason, "childRunId", child, "runId");
	json_set(reason, "childStatus", why_upper(why_text(child, "status")));
}

static void
tell_waiting(struct why *why, const struct json *step)
{
	const char *until = why_text(step, "runAt");
	char name[WHY_NAME];

	why_name(step, name);
	if (json_get(step, "event") != NULL)
		tell_event(why, step);
	else if (json_get(step, "child") != NULL)
		tell_child(why, step);
	else if (until != NULL)
		why_add_clock(why,
			      why_add(why, "waiting_until", step, "%s waits until %s",
				      name, until),
			      until);
	else
		why_add(why, "dependency", step, "%s waits to be woken", name);
}

typedef void tell_fn(struct why *why, const struct json *step);

static tell_fn *const by_status[STEP_STATUSES] = {
	[STEP_PENDING] = tell_pending, [STEP_QUEUED] = tell_queued,
	[STEP_RUNNING] = tell_running, [STEP_RETRYING] = tell_retrying,
	[STEP_WAITING] = tell_waiting, [STEP_WAITING_APPROVAL] = tell_approval,
};

/* Items of a foreach whose turn has not come: one reason for all of them. */
static void
tell_held_up(struct why *why, const struct json *held_up)
{
	const struct step_def *def =
	    why->workflow ? workflow_step(why->workflow, why_text(held_up, "key"))
			  : NULL;
	int waiting = why_number(held_up, "waiting");
	bool is_exact = waiting < WHY_COUNT;
	struct json *reason;

	reason =
	    why_add(why, "concurrency", NULL,
		    "%d%s item%s of step \"%.150s\" wait%s for others of it (at most "
		    "%d at once)",
		    waiting, is_exact ? "" : " or more", waiting == 1 ? "" : "s",
		    why_text(held_up, "key"), waiting == 1 ? "s" : "",
		    def != NULL ? def->max_parallel : 0);
	why_copy(reason, "stepKey", held_up, "key");
	json_set(reason, is_exact ? "waiting" : "waitingAtLeast",
		 json_new_int(waiting));
	if (def != NULL)
		json_set(reason, "limit", json_new_int(def->max_parallel));
}

void
why_tell_steps(struct why *why)
{
	const struct json *open = json_get(why->facts, "open");
	const struct json *held_up = json_get(why->facts, "heldUp");

	for (size_t i = 0; i < json_count(open) && i < WHY_REASONS_MAX; i++) {
		const struct json *step = json_at(open, i);
		int status = why_number(step, "status");

		if (status >= 0 && status < STEP_STATUSES && by_status[status] != NULL)
			by_status[status](why, step);
	}
	for (size_t i = 0; i < json_count(held_up) && i < WHY_REASONS_MAX; i++)
		tell_held_up(why, json_at(held_up, i));
}

/* ---- of the step that was asked for ---- */

static void
tell_ended_step(struct why *why, const struct json *step, enum step_status status)
{
	const struct json *error = json_get(step, "error");
	const char *at = why_text(step, "completedAt"),
		   *said = why_text(error, "message");
	struct json *reason;
	char name[WHY_NAME];

	reason = why_add(why, "over", step, "%s is over: %s%s%s%s%.500s",
			 why_name(step, name), step_status_name(status),
			 at != NULL ? " at " : "", at != NULL ? at : "",
			 said != NULL ? ": " : "", said != NULL ? said : "");
	json_set(reason, "ended", why_upper(step_status_name(status)));
	why_copy(reason, "at", step, "completedAt");
	why_copy(reason, "error", step, "error");
}

/* Where its own state told nothing: it is over, waits for rows of its own, or was not
 * reached. */
void
why_tell_asked(struct why *why, const char *asked)
{
	const struct json *step = json_get(why->facts, "asked");
	int status = why_number(step, "status"), needs = why_number(step, "needs");
	struct json *reason;
	char name[WHY_NAME];

	if (step == NULL) {
		reason = why_add(why, "not_started", NULL,
				 "step \"%.150s\" has not been reached", asked);
		json_set(reason, "stepKey", json_new_str(asked));
	} else if (step_is_over((enum step_status)status)) {
		tell_ended_step(why, step, (enum step_status)status);
	} else if (status == STEP_WAITING && needs > 0) {
		reason =
		    why_add(why, "dependency", step,
			    "%s waits for %d of its own rows: items, or steps of its "
			    "block",
			    why_name(step, name), needs);
		json_set(reason, "children", json_new_int(needs));
	} else if (json_count(why->reasons) == 0) {
		why_add(why, "not_started", step, "%s has not started",
			why_name(step, name));
	}
}
