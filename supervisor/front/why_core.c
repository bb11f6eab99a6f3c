/*
 * From what is known of a run to the reasons. First those that hold for the whole run:
 * it is over, paused, or has not begun; then one for each step that is open, by its
 * status.
 */
#include "front/why_core.h"

#include "front/why_step_core.h"

/* ---- of the whole run ---- */

static void
tell_over(struct why *why)
{
	const struct json *error = json_get(why->facts, "error");
	const char *name = run_status_name(why->status), *at, *said;
	struct json *reason;

	at = why_text(why->facts, "completedAt");
	said = why_text(error, "message");
	reason = why_add(why, "over", NULL, "the run is over: %s%s%s%s%.600s", name,
			 at != NULL ? " at " : "", at != NULL ? at : "",
			 said != NULL ? ": " : "", said != NULL ? said : "");
	json_set(reason, "ended", why_upper(name));
	why_copy(reason, "at", why->facts, "completedAt");
	if (error != NULL)
		json_set(reason, "error", json_ref(json_get(why->facts, "error")));
}

static void
tell_paused(struct why *why)
{
	const struct json *pause = json_get(why->facts, "pause");
	const char *by = why_text(pause, "by"), *at = why_text(pause, "at");
	struct json *reason;

	reason = why_add(why, "paused", NULL, "the run is paused%s%.200s%s%s",
			 by != NULL ? " by " : "", by != NULL ? by : "",
			 at != NULL ? " since " : "", at != NULL ? at : "");
	why_copy(reason, "by", pause, "by");
	why_copy(reason, "since", pause, "at");
}

static void
tell_crowd(struct why *why)
{
	const struct json *crowd = json_get(why->facts, "concurrency");
	int limit = why_number(crowd, "limit"), before = why_number(crowd, "before");
	struct json *reason;

	reason = why_add(
	    why, "concurrency", NULL,
	    "the run waits for a place: at most %d of \"%.300s\" run at once, "
	    "and %d%s %s before it",
	    limit, why_text(crowd, "key"), before, before < WHY_COUNT ? "" : " or more",
	    before == 1 ? "waits" : "wait");
	why_copy(reason, "limit", crowd, "limit");
	why_copy(reason, "key", crowd, "key");
	why_copy(reason, "holders", crowd, "holders");
	why_add_position(reason, before);
}

static void
tell_pending_run(struct why *why)
{
	const char *run_at = why_text(why->facts, "runAt");

	if (why_is_ahead(why, run_at))
		why_add_clock(
		    why,
		    why_add(why, "waiting_until", NULL, "the run starts at %s", run_at),
		    run_at);
	else if (json_get(why->facts, "concurrency") != NULL)
		tell_crowd(why);
	else if (run_at != NULL)
		why_add_clock(why,
			      why_add(why, "not_started", NULL,
				      "the run has not started: it is due since %s",
				      run_at),
			      run_at);
	else
		why_add(why, "not_started", NULL, "the run has not started");
}

/* ---- all of it ---- */

static void
tell_run(struct why *why)
{
	if (run_is_over(why->status))
		tell_over(why);
	else if (why->status == RUN_PENDING)
		tell_pending_run(why);
	else if (why->status == RUN_PAUSED && why_number(why->facts, "pausedBy") == 1)
		tell_paused(why);
}

static bool
is_there(const struct why *why, const char *asked)
{
	return asked == NULL || json_get(why->facts, "asked") != NULL ||
	       (why->workflow != NULL && *asked != '\0' &&
		workflow_step_index(why->workflow, asked) >= 0);
}

struct json *
why_answer(const struct json *facts, const struct workflow *workflow, const char *asked)
{
	struct why why = { .facts = facts,
			   .workflow = workflow,
			   .status = (enum run_status)why_number(facts, "status") };
	size_t before;
	struct json *answer;

	if (!is_there(&why, asked))
		return NULL;
	why.reasons = json_new_array();
	tell_run(&why);
	before = json_count(why.reasons);
	if (why.status != RUN_PENDING)
		why_tell_steps(&why);
	if (asked != NULL && json_count(why.reasons) == before)
		why_tell_asked(&why, asked);
	answer = json_new_object();
	why_copy(answer, "executionId", facts, "id");
	why_copy(answer, "runId", facts, "runId");
	json_set(answer, "status", why_upper(run_status_name(why.status)));
	json_set(answer, "reasons", why.reasons);
	if (json_count(json_get(facts, "open")) > WHY_REASONS_MAX)
		json_set(answer, "more", json_new_bool(true));
	return answer;
}
