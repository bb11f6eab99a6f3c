/* What `stepmill top` shows, as text: how much is done, who does it, what waits, what
 * runs. Pure. */
#ifndef CLI_TOP_SCREEN_H
#define CLI_TOP_SCREEN_H

#include <stddef.h>

#include "base/buf.h"
#include "json/json.h"

/* What the server answers to the questions of top_questions; any may be NULL. */
struct top_answers {
	const struct json *stats, *pool, *queues, *executions;
};

/* width and height of the screen; 0: no limit. Appends whole lines. */
void top_screen(const struct top_answers *answers, size_t width, size_t height,
		struct buf *out);

#endif
