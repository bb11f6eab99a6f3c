/* Pure: the table behind a slot. See slot_core.h. */
#include "slot_core.h"

#include <stdbool.h>

struct rule {
	bool legal;
	enum slot_state next;
	enum slot_reason reason; /* NONE: the one there is stays */
	enum slot_order order;
};

/* What is done with an answer depends on why the action was stopped. */
static const enum slot_order by_reason[SLOT_REASONS] = {
	[SLOT_REASON_NONE] = SLOT_DO_FINISH,
	[SLOT_REASON_TIMEOUT] = SLOT_DO_FINISH,
	[SLOT_REASON_TAKEN_AWAY] = SLOT_DO_DROP,
	[SLOT_REASON_HAND_BACK] = SLOT_DO_GIVE_BACK,
};

/* clang-format off */
static const struct rule rules[SLOT_STATES][SLOT_EVENTS] = {
	[SLOT_LOADING] = {
		[SLOT_EV_LOADED]     = { true, SLOT_RUNNING, SLOT_REASON_NONE, SLOT_DO_START },
		[SLOT_EV_UNUSABLE]   = { true, SLOT_DONE, SLOT_REASON_NONE, SLOT_DO_FINISH },
		[SLOT_EV_TAKEN_AWAY] = { true, SLOT_DONE, SLOT_REASON_TAKEN_AWAY, SLOT_DO_DROP },
		[SLOT_EV_HAND_BACK]  = { true, SLOT_DONE, SLOT_REASON_HAND_BACK, SLOT_DO_GIVE_BACK },
	},
	[SLOT_RUNNING] = {
		[SLOT_EV_ANSWERED]   = { true, SLOT_DONE, SLOT_REASON_NONE, SLOT_DO_FINISH },
		[SLOT_EV_TIMED_OUT]  = { true, SLOT_STOPPING, SLOT_REASON_TIMEOUT, SLOT_DO_ASK },
		[SLOT_EV_TAKEN_AWAY] = { true, SLOT_STOPPING, SLOT_REASON_TAKEN_AWAY, SLOT_DO_ASK },
		[SLOT_EV_HAND_BACK]  = { true, SLOT_STOPPING, SLOT_REASON_HAND_BACK, SLOT_DO_ASK },
	},
	[SLOT_STOPPING] = {
		[SLOT_EV_ANSWERED]      = { true, SLOT_DONE, SLOT_REASON_NONE, SLOT_DO_FINISH },
		[SLOT_EV_PATIENCE_OVER] = { true, SLOT_KILLING, SLOT_REASON_NONE, SLOT_DO_FORCE },
		[SLOT_EV_TAKEN_AWAY]    = { true, SLOT_STOPPING, SLOT_REASON_TAKEN_AWAY, SLOT_DO_NOTHING },
	},
	[SLOT_KILLING] = {
		[SLOT_EV_ANSWERED]   = { true, SLOT_DONE, SLOT_REASON_NONE, SLOT_DO_FINISH },
		[SLOT_EV_TAKEN_AWAY] = { true, SLOT_KILLING, SLOT_REASON_TAKEN_AWAY, SLOT_DO_NOTHING },
	},
};
/* clang-format on */

struct slot_step
slot_on(enum slot_state state, enum slot_reason reason, enum slot_event event)
{
	const struct rule *rule = &rules[state][event];
	struct slot_step step = { .state = state, .reason = reason };

	if (!rule->legal)
		return step;
	step.state = rule->next;
	if (rule->reason != SLOT_REASON_NONE)
		step.reason = rule->reason;
	step.order =
	    rule->order == SLOT_DO_FINISH ? by_reason[step.reason] : rule->order;
	return step;
}
