/*
 * A run as it goes: a line per step with its state and time, fed with the run's events.
 * On a terminal the line of what runs is drawn anew with a spinner; elsewhere each
 * change is a plain line. Pure but for where the text goes.
 */
#ifndef CLI_LIVE_H
#define CLI_LIVE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/usec.h"
#include "json/json.h"

#define LIVE_NAME_COLUMNS 60

struct live_step {
	int number;
	int attempt;
	char name[4 * LIVE_NAME_COLUMNS + 1];
	usec_t since; /* of this attempt */
	bool resting; /* failed, will be tried again */
};

#define LIVE_RUNNING_MAX 8 /* more are not drawn */

struct live {
	bool terminal;
	size_t width; /* of the terminal; 0: not known */
	struct live_step running[LIVE_RUNNING_MAX];
	size_t running_count;
	unsigned turn; /* of the spinner */
	size_t lines;  /* of what runs, that stand on the screen now */
};

/* One event of the run; appends what is to be printed. */
void live_event(struct live *live, const struct json *event, usec_t now,
		struct buf *out);
/* Draws the running lines anew (terminal only). */
void live_draw(struct live *live, usec_t now, struct buf *out);
/* Takes them off the screen. */
void live_wipe(struct live *live, struct buf *out);

#endif
