/*
 * Pure: what becomes of each time at which a schedule was expected to fire. One entry
 * of the ledger per expected time, whatever happened meanwhile: nobody was running, the
 * clock jumped, the last run still lives.
 *
 * A firing that is little late is simply late (FIRING_LATE; the newest one
 * FIRING_LATE_NEWEST). What is older was missed, and catch_up says what becomes of it.
 * A run for a missed time is started only when active hours are open now, too.
 */
#ifndef SCHEDULER_FIRING_CORE_H
#define SCHEDULER_FIRING_CORE_H

#include "lang/schedule_rule.h"

#define FIRING_LATE        (10 * USEC_SECOND)
#define FIRING_LATE_NEWEST (60 * USEC_SECOND)
#define FIRING_CAUGHT_UP   100 /* by catch_up all, at most */
#define FIRINGS_MOST       1000 /* entries at a time; the rest comes with the next turn */

enum firing_outcome {
	FIRING_STARTED,
	FIRING_SKIPPED_ACTIVE_HOURS,
	FIRING_SKIPPED_OVERLAP,
	FIRING_MISSED,
	FIRING_CAUGHT_UP_LATE,
	FIRING_NO_WORKFLOW,
	FIRING_FAILED,
	FIRING_OUTCOMES
};

enum catch_up { CATCH_UP_NONE, CATCH_UP_LAST, CATCH_UP_ALL, CATCH_UPS };

/* A schedule whose time has come. */
struct firing_case {
	const struct schedule_rule *rule;
	struct uuid schedule;
	usec_t jitter;
	usec_t expected; /* the first time of which the ledger knows nothing */
	usec_t now;
	enum catch_up catch_up;
	bool skip_overlap, last_alive;
	bool no_workflow;
	bool refused;  /* its workflow cannot be started */
	int runs_left; /* until maxRuns; below 0: no limit */
};

struct firing {
	usec_t at;
	enum firing_outcome outcome;
	bool starts; /* a run */
};

struct firing_verdict {
	struct firing *firings; /* room for FIRINGS_MOST, the caller's */
	size_t count;
	int counted;      /* of them for maxRuns */
	bool over;        /* it fires no more: maxRuns, or its times are over */
	bool reached;     /* maxRuns: it is switched off */
	usec_t next, due; /* unless it is over */
};

void firing_decide(const struct firing_case *it, struct firing_verdict *verdict);
/* As stored: "skipped_overlap". */
const char *firing_outcome_name(enum firing_outcome outcome);
/* "none", "last", "all"; CATCH_UPS for another word. */
enum catch_up catch_up_find(const char *name);

#endif
