/* When a program may rest, and when it cannot go on. See playing.h. */
#include <stdlib.h>

#include "base/xalloc.h"
#include "recorded/playing.h"

#define REST_AFTER    (30 * USEC_MS) /* nothing but waits is under way so long */
#define DIVERGE_AFTER USEC_SECOND    /* nothing but what is held back */
#define LOOK_FIRST    USEC_SECOND

struct outlook {
	int busy; /* functions, what the worker does, what is on its way to the store */
	int waiting; /* for the engine */
};

static struct outlook
look(const struct playing *playing)
{
	struct outlook outlook = { 0 };

	list_each (it, &playing->steps) {
		const struct play_step *step = container_of(it, struct play_step, link);

		if (step->state == PLAY_WAITING)
			outlook.waiting++;
		else if (step->state != PLAY_IDLE)
			outlook.busy++;
	}
	return outlook;
}

/* What is held back because the run is paused is begun when it goes on; what is held
 * back for the record's sake is never asked for. */
static bool
may_rest(const struct playing *playing, const struct outlook *outlook)
{
	if (outlook->busy > 0)
		return false;
	if (playing->paused)
		return outlook->waiting > 0 || !list_empty(&playing->held);
	return outlook->waiting > 0 && list_empty(&playing->held);
}

void
settle_look(struct playing *playing)
{
	struct outlook outlook;

	if (playing->end != PLAY_GOES_ON || playing->stopping || playing->suspending) {
		timer_stop(playing->quiet_timer);
		playing_settle(playing);
		return;
	}
	outlook = look(playing);
	if (outlook.waiting > 0 && !timer_is_set(playing->look_timer) &&
	    !playing->looking)
		timer_set(playing->look_timer, LOOK_FIRST);
	if (may_rest(playing, &outlook))
		timer_set(playing->quiet_timer, REST_AFTER);
	else if (outlook.busy == 0 && !list_empty(&playing->held))
		timer_set(playing->quiet_timer, DIVERGE_AFTER);
	else
		timer_stop(playing->quiet_timer);
}

static void
diverge(struct playing *playing)
{
	const struct held_ask *held =
	    container_of(playing->held.next, struct held_ask, link);
	const struct recorded_step *unasked = recorded_first_unasked(playing->recorded);
	char *stands, *text;
	struct json *error;

	if (unasked == NULL) {
		asks_look_again(playing);
		return;
	}
	stands = recorded_describe(unasked);
	text = xprintf("the program asks for \"%s\", which is not recorded, before it "
		       "asks for what is: %s",
		       held->place.name, stands);
	error = step_error("divergence", text);
	json_set(error, "asked", json_new_str(held->place.name));
	json_set(error, "recorded", json_new_str(stands));
	asks_drop_held(playing, RPC_DIVERGENCE, text);
	playing_fail(playing, error);
	free(stands);
	free(text);
}

void
settle_quiet(void *context)
{
	struct playing *playing = context;
	struct outlook outlook;

	if (playing->end != PLAY_GOES_ON || playing->stopping || playing->suspending)
		return;
	outlook = look(playing);
	if (may_rest(playing, &outlook))
		playing_suspend(playing,
				playing->paused ? PLAY_GIVEN_BACK : PLAY_RESTS);
	else if (outlook.busy == 0 && !list_empty(&playing->held))
		diverge(playing);
}
