/* See firing_core.h. */
#include "firing_core.h"

#include <string.h>

#define LOOK_BACK_MOST 200000 /* times looked at to find the last active ones */

static const char *const outcome_names[FIRING_OUTCOMES] = {
	[FIRING_STARTED] = "started",
	[FIRING_SKIPPED_ACTIVE_HOURS] = "skipped_active_hours",
	[FIRING_SKIPPED_OVERLAP] = "skipped_overlap",
	[FIRING_MISSED] = "missed",
	[FIRING_CAUGHT_UP_LATE] = "caught_up",
	[FIRING_NO_WORKFLOW] = "no_workflow",
	[FIRING_FAILED] = "failed",
};

static const char *const catch_up_names[CATCH_UPS] = {
	[CATCH_UP_NONE] = "none",
	[CATCH_UP_LAST] = "last",
	[CATCH_UP_ALL] = "all",
};

const char *
firing_outcome_name(enum firing_outcome outcome)
{
	return outcome_names[outcome];
}

enum catch_up
catch_up_find(const char *name)
{
	for (int i = 0; i < CATCH_UPS; i++)
		if (strcmp(catch_up_names[i], name) == 0)
			return (enum catch_up)i;
	return CATCH_UPS;
}

static usec_t
due_of(const struct firing_case *it, usec_t at)
{
	return at + schedule_jitter(&it->schedule, at, it->jitter);
}

static bool
next_of(const struct firing_case *it, usec_t at, usec_t *next)
{
	struct cron_firing firing;

	if (!schedule_rule_next(it->rule, at, &firing))
		return false;
	*next = firing.at;
	return true;
}

/* The oldest time that is caught up: of `last` the newest active one, of `all` the
 * hundredth newest. */
static usec_t
caught_up_from(const struct firing_case *it)
{
	struct cron_firing firing = { .at = it->now + 1 };
	usec_t from = USEC_NEVER;
	int wanted = it->catch_up == CATCH_UP_ALL ? FIRING_CAUGHT_UP : 1;

	if (it->catch_up == CATCH_UP_NONE ||
	    !schedule_rule_is_active(it->rule, it->now))
		return USEC_NEVER;
	for (int i = 0; i < LOOK_BACK_MOST && wanted > 0; i++) {
		if (!cron_previous(&it->rule->cron, it->rule->zone, it->rule->anchor,
				   firing.at, &firing) ||
		    firing.at < it->expected)
			break;
		if (due_of(it, firing.at) <= it->now &&
		    schedule_rule_is_active(it->rule, firing.at)) {
			from = firing.at;
			wanted--;
		}
	}
	return from;
}

/* What stands before a run, in the order in which people would name it. */
static enum firing_outcome
start_or_not(const struct firing_case *it, bool late, bool alive)
{
	bool together = late && it->catch_up == CATCH_UP_ALL;

	if (it->no_workflow)
		return FIRING_NO_WORKFLOW;
	if (it->skip_overlap && alive && !together)
		return FIRING_SKIPPED_OVERLAP;
	if (it->refused)
		return FIRING_FAILED;
	return late ? FIRING_CAUGHT_UP_LATE : FIRING_STARTED;
}

static bool
is_on_time(const struct firing_case *it, usec_t at, bool newest)
{
	usec_t late = it->now - due_of(it, at);

	return late <= (newest ? FIRING_LATE_NEWEST : FIRING_LATE);
}

static void
judge(const struct firing_case *it, struct firing_verdict *verdict, usec_t at,
      bool newest, usec_t from, bool *alive)
{
	struct firing *firing = &verdict->firings[verdict->count++];
	bool late = !is_on_time(it, at, newest);

	firing->at = at;
	if (!schedule_rule_is_active(it->rule, at))
		firing->outcome = FIRING_SKIPPED_ACTIVE_HOURS;
	else if (late && at < from)
		firing->outcome = FIRING_MISSED;
	else
		firing->outcome = start_or_not(it, late, *alive);
	firing->starts = firing->outcome == FIRING_STARTED ||
			 firing->outcome == FIRING_CAUGHT_UP_LATE;
	*alive |= firing->starts;
	if (firing->starts || firing->outcome == FIRING_NO_WORKFLOW)
		verdict->counted++;
}

void
firing_decide(const struct firing_case *it, struct firing_verdict *verdict)
{
	usec_t at = it->expected, next = 0, from = caught_up_from(it);
	bool alive = it->last_alive, more = true;

	verdict->count = 0;
	verdict->counted = 0;
	verdict->over = verdict->reached = false;
	while (more && due_of(it, at) <= it->now && verdict->count < FIRINGS_MOST) {
		more = next_of(it, at, &next);
		judge(it, verdict, at, !more || due_of(it, next) > it->now, from,
		      &alive);
		verdict->reached = verdict->counted == it->runs_left;
		more = more && !verdict->reached;
		at = next;
	}
	verdict->over = !more;
	verdict->next = at;
	verdict->due = due_of(it, at);
}
