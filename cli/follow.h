/* Following a run to its end, event by event, over the server's long poll. */
#ifndef CLI_FOLLOW_H
#define CLI_FOLLOW_H

#include <stdint.h>

#include "server.h"

/* Called for each event in order; false stops. */
typedef bool follow_fn(void *context, const struct json *event);

struct follow {
	const char *run; /* its id or run id */
	int64_t since;   /* events after this number */
	bool once;       /* what is there now, without waiting for more */
	usec_t patience; /* with a server that is away for a while */
	follow_fn *on_event;
	void *context;
};

enum followed {
	FOLLOWED_TO_END,  /* the run is over (or, once: that was all) */
	FOLLOWED_STOPPED, /* on_event or the server's idle function said so */
	FOLLOWED_FAILED,  /* said on stderr; *status is the exit status */
};

enum followed follow(struct server *server, const struct follow *follow, int *status);

/* The run as GET /executions/:id shows it; NULL: said on stderr, *status set. */
struct json *follow_fetch(struct server *server, const char *run, int *status);

/* The exit status that the end of a run gives; run: anything with its status and
 * error. */
int follow_exit_status(const struct json *run);

#endif
