/*
 * Pure: the table of a seat's life, the delays of crash loops, and which seat is to be
 * filled or emptied next.
 */
#include "pool/pool_core.h"

#include <stdlib.h>

#include "base/err.h"
#include "base/xalloc.h"

typedef usec_t delay_fn(struct seat *seat, usec_t lived);

struct rule {
	enum seat_state next;
	delay_fn *delay; /* before another start */
};

static delay_fn delay_after_crash, delay_before_retry;

/* clang-format off */
static const struct rule rules[SEAT_STATES][SEAT_EVENTS] = {
	[SEAT_DOWN]     = { [SEAT_FORKED]        = { .next = SEAT_STARTING },
			    [SEAT_TRY_AGAIN]     = { SEAT_DOWN, delay_before_retry },
			    [SEAT_RECONSIDERED]  = { .next = SEAT_DOWN } },
	[SEAT_STARTING] = { [SEAT_SAID_READY]    = { .next = SEAT_READY },
			    [SEAT_DISMISSED]     = { .next = SEAT_LEAVING },
			    [SEAT_LEFT]          = { SEAT_DOWN, delay_after_crash },
			    [SEAT_TRY_AGAIN]     = { SEAT_DOWN, delay_before_retry },
			    [SEAT_MISCONFIGURED] = { .next = SEAT_REFUSED },
			    [SEAT_CRASHED]       = { SEAT_DOWN, delay_after_crash },
			    [SEAT_RECONSIDERED]  = { .next = SEAT_STARTING } },
	[SEAT_READY]    = { [SEAT_SAID_READY]    = { .next = SEAT_READY },
			    [SEAT_DISMISSED]     = { .next = SEAT_LEAVING },
			    [SEAT_LEFT]          = { SEAT_DOWN, delay_after_crash },
			    [SEAT_TRY_AGAIN]     = { SEAT_DOWN, delay_before_retry },
			    [SEAT_MISCONFIGURED] = { .next = SEAT_REFUSED },
			    [SEAT_CRASHED]       = { SEAT_DOWN, delay_after_crash },
			    [SEAT_RECONSIDERED]  = { .next = SEAT_READY } },
	[SEAT_LEAVING]  = { [SEAT_SAID_READY]    = { .next = SEAT_LEAVING },
			    [SEAT_LEFT]          = { .next = SEAT_GONE },
			    [SEAT_TRY_AGAIN]     = { .next = SEAT_GONE },
			    [SEAT_MISCONFIGURED] = { .next = SEAT_GONE },
			    [SEAT_CRASHED]       = { .next = SEAT_GONE },
			    [SEAT_RECONSIDERED]  = { .next = SEAT_LEAVING } },
	[SEAT_REFUSED]  = { [SEAT_RECONSIDERED]  = { .next = SEAT_DOWN } },
};
/* clang-format on */

static const char *const state_names[SEAT_STATES] = {
	[SEAT_NOWHERE] = "nowhere",   [SEAT_DOWN] = "down",
	[SEAT_STARTING] = "starting", [SEAT_READY] = "ready",
	[SEAT_LEAVING] = "draining",  [SEAT_REFUSED] = "refused",
	[SEAT_GONE] = "gone",
};

const char *
seat_state_name(enum seat_state state)
{
	return state_names[state];
}

enum seat_state
seat_next(enum seat_state state, enum seat_event event)
{
	return rules[state][event].next;
}

static usec_t
doubled(usec_t least, int times)
{
	usec_t delay = least;

	while (times-- > 0 && delay < DELAY_MOST)
		delay *= 2;
	return delay < DELAY_MOST ? delay : DELAY_MOST;
}

/* One that worked for a while is replaced at once: the next will work for a while too.
 */
static usec_t
delay_after_crash(struct seat *seat, usec_t lived)
{
	seat->later = 0;
	if (lived >= EARLY_DEATH) {
		seat->early = 0;
		return 0;
	}
	return doubled(DELAY_LEAST, seat->early++);
}

static usec_t
delay_before_retry(struct seat *seat, usec_t lived)
{
	(void)lived;
	return doubled(LATER_LEAST, seat->later++);
}

/* Returns the delay that the table asks for. */
static usec_t
seat_on(struct seat *seat, enum seat_event event, usec_t lived)
{
	const struct rule *rule = &rules[seat->state][event];

	if (rule->next == SEAT_NOWHERE)
		bug("seat: event %d in state %s", event, seat_state_name(seat->state));
	seat->state = rule->next;
	return rule->delay != NULL ? rule->delay(seat, lived) : 0;
}

static struct seat *
seat_of(struct list *link)
{
	return container_of(link, struct seat, link);
}

void
pool_core_init(struct pool_core *core, int desired, int most)
{
	*core = (struct pool_core){ .most = most };
	list_init(&core->workers);
	list_init(&core->front.link);
	core->front.front = true;
	core->front.state = SEAT_DOWN;
	pool_core_want(core, desired, 0);
}

static void
seat_free(struct seat *seat)
{
	list_remove(&seat->link);
	free(seat);
}

void
pool_core_fini(struct pool_core *core)
{
	list_each_safe (link, &core->workers)
		seat_free(seat_of(link));
}

static void
reconsider(struct seat *seat, usec_t now)
{
	bool was_refused = seat->state == SEAT_REFUSED;

	seat_on(seat, SEAT_RECONSIDERED, 0);
	if (was_refused)
		seat->start_at = now;
}

void
pool_core_reconsider(struct pool_core *core, usec_t now)
{
	if (core->front.state != SEAT_GONE)
		reconsider(&core->front, now);
	list_each (link, &core->workers)
		reconsider(seat_of(link), now);
}

int
pool_core_want(struct pool_core *core, long desired, usec_t now)
{
	if (desired < 0)
		desired = 0;
	if (desired > core->most)
		desired = core->most;
	core->desired = (int)desired;
	list_each (link, &core->workers)
		reconsider(seat_of(link), now);
	return core->desired;
}

bool
seat_lives(const struct seat *seat)
{
	return seat->pid != 0;
}

int
pool_core_living(const struct pool_core *core)
{
	int living = seat_lives(&core->front) ? 1 : 0;

	list_each (link, &core->workers)
		living += seat_lives(seat_of(link)) ? 1 : 0;
	return living;
}

struct seat *
pool_core_find(struct pool_core *core, pid_t pid)
{
	if (core->front.pid == pid)
		return &core->front;
	list_each (link, &core->workers)
		if (seat_of(link)->pid == pid)
			return seat_of(link);
	return NULL;
}

struct seat *
pool_core_undertaker(struct pool_core *core)
{
	struct seat *leaving = NULL;

	if (core->front.state == SEAT_READY)
		return &core->front;
	list_each (link, &core->workers) {
		struct seat *seat = seat_of(link);

		if (seat->state == SEAT_READY)
			return seat;
		if (seat->state == SEAT_LEAVING)
			leaving = seat;
	}
	if (leaving == NULL && core->front.state == SEAT_LEAVING)
		return &core->front;
	return leaving;
}

/* Seats that count towards what is desired. */
static int
taken_seats(const struct pool_core *core)
{
	int taken = 0;

	list_each (link, &core->workers)
		taken += seat_of(link)->state != SEAT_LEAVING ? 1 : 0;
	return taken;
}

/* How much goes missing with it: nothing, a start, or running steps. */
static int
cost_of_leaving(const struct seat *seat)
{
	if (!seat_lives(seat))
		return -2;
	return seat->state == SEAT_STARTING ? -1 : seat->used;
}

/* The cheapest to lose; of equals the youngest. */
static struct seat *
pick_leaver(struct pool_core *core)
{
	struct seat *best = NULL;

	list_each (link, &core->workers) {
		struct seat *seat = seat_of(link);

		if (seat->state == SEAT_LEAVING)
			continue;
		if (best == NULL || cost_of_leaving(seat) <= cost_of_leaving(best))
			best = seat;
	}
	return best;
}

/* Drops seats without processes; returns the one whose process must be told, or NULL.
 */
static struct seat *
shrink(struct pool_core *core)
{
	int surplus = taken_seats(core) - (core->leaving ? 0 : core->desired);

	for (; surplus > 0; surplus--) {
		struct seat *seat = pick_leaver(core);

		if (seat_lives(seat))
			return seat;
		seat_free(seat);
	}
	return NULL;
}

static void
grow(struct pool_core *core, usec_t now)
{
	for (int taken = taken_seats(core); taken < core->desired; taken++) {
		struct seat *seat = xcalloc(1, sizeof *seat);

		seat->state = SEAT_DOWN;
		seat->start_at = now;
		list_push(&core->workers, &seat->link);
	}
}

/* The seat whose start is due first. Those on their way out count against a bound of
 * twice the most, so that a wavering wish cannot fill the machine. */
static struct seat *
first_down(struct pool_core *core)
{
	struct seat *first = NULL;

	if (core->front.state == SEAT_DOWN)
		first = &core->front;
	if (pool_core_living(core) >= 2 * core->most)
		return first;
	list_each (link, &core->workers) {
		struct seat *seat = seat_of(link);

		if (seat->state == SEAT_DOWN &&
		    (first == NULL || seat->start_at < first->start_at))
			first = seat;
	}
	return first;
}

static struct pool_verdict
next_when_leaving(struct pool_core *core)
{
	enum seat_state front = core->front.state;
	struct seat *seat;

	if (front == SEAT_STARTING || front == SEAT_READY)
		return (struct pool_verdict){ POOL_DISMISS, &core->front, 0 };
	seat = shrink(core);
	if (seat != NULL)
		return (struct pool_verdict){ POOL_DISMISS, seat, 0 };
	return (struct pool_verdict){ .deed = POOL_WAIT, .at = USEC_NEVER };
}

struct pool_verdict
pool_core_next(struct pool_core *core, usec_t now)
{
	struct seat *seat;

	if (core->leaving)
		return next_when_leaving(core);
	seat = shrink(core);
	if (seat != NULL)
		return (struct pool_verdict){ POOL_DISMISS, seat, 0 };
	grow(core, now);
	seat = first_down(core);
	if (seat == NULL)
		return (struct pool_verdict){ .deed = POOL_WAIT, .at = USEC_NEVER };
	if (seat->start_at <= now)
		return (struct pool_verdict){ POOL_START, seat, 0 };
	return (struct pool_verdict){ .deed = POOL_WAIT, .at = seat->start_at };
}

void
pool_core_forked(struct seat *seat, const struct uuid *id, pid_t pid, usec_t now,
		 usec_t wall)
{
	seat_on(seat, SEAT_FORKED, 0);
	seat->starts++;
	seat->id = *id;
	seat->pid = pid;
	seat->started_at = now;
	seat->born_at = wall;
	seat->used = seat->slots = 0;
	seat->reload_missed = false;
}

void
pool_core_not_forked(struct seat *seat, usec_t now)
{
	seat->start_at = now + seat_on(seat, SEAT_TRY_AGAIN, 0);
}

void
pool_core_said_ready(struct seat *seat)
{
	seat_on(seat, SEAT_SAID_READY, 0);
	seat->later = 0;
}

void
pool_core_dismissed(struct seat *seat)
{
	seat_on(seat, SEAT_DISMISSED, 0);
}

struct seat_end
pool_core_ended(struct seat *seat, enum seat_event event, usec_t now)
{
	struct seat_end end = { .lived = now - seat->started_at };
	bool as_asked = seat->state == SEAT_LEAVING && event == SEAT_LEFT;

	end.lost = !seat->front && !as_asked;
	end.ordered = seat->state == SEAT_LEAVING || event != SEAT_CRASHED;
	end.delay = seat_on(seat, event, end.lived);
	end.next = seat->state;
	seat->start_at = now + end.delay;
	seat->pid = 0;
	seat->used = 0;
	if (seat->state == SEAT_GONE && !seat->front)
		seat_free(seat);
	return end;
}
