/* Pure: the table of a supervisor's end. */
#include "pool/drain_core.h"

struct rule {
	enum drain_phase next; /* DRAIN_OFF: the event changes nothing here */
	enum drain_deed deed;
};

/* clang-format off */
static const struct rule rules[DRAIN_PHASES][DRAIN_EVENTS] = {
	[DRAIN_OFF]     = { [DRAIN_ON_TERM] = { DRAIN_PATIENT, DRAIN_ASK },
			    [DRAIN_ON_QUIT] = { DRAIN_KILLED, DRAIN_KILL } },
	[DRAIN_PATIENT] = { [DRAIN_ON_TERM] = { DRAIN_HURRIED, DRAIN_HURRY },
			    [DRAIN_ON_TIME] = { DRAIN_HURRIED, DRAIN_HURRY },
			    [DRAIN_ON_QUIT] = { DRAIN_KILLED, DRAIN_KILL } },
	[DRAIN_HURRIED] = { [DRAIN_ON_TIME] = { DRAIN_KILLED, DRAIN_KILL },
			    [DRAIN_ON_QUIT] = { DRAIN_KILLED, DRAIN_KILL } },
	[DRAIN_KILLED]  = { [DRAIN_ON_TIME] = { DRAIN_KILLED, DRAIN_GIVE_UP } },
};
/* clang-format on */

static const char *const phase_names[DRAIN_PHASES] = {
	[DRAIN_OFF] = "off",
	[DRAIN_PATIENT] = "patient",
	[DRAIN_HURRIED] = "hurried",
	[DRAIN_KILLED] = "killed",
};

const char *
drain_phase_name(enum drain_phase phase)
{
	return phase_names[phase];
}

void
drain_init(struct drain *drain)
{
	*drain = (struct drain){ .until = USEC_NEVER };
}

enum drain_deed
drain_on(struct drain *drain, enum drain_event event, usec_t patience, usec_t now)
{
	const struct rule *rule = &rules[drain->phase][event];

	if (rule->next == DRAIN_OFF)
		return DRAIN_NOTHING;
	drain->phase = rule->next;
	drain->until = now + (rule->next == DRAIN_PATIENT ? patience : DRAIN_GRACE);
	return rule->deed;
}
