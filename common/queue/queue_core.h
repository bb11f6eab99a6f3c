/*
 * What is decided about a connection to Redis and about lists, without touching either:
 * when to connect again, what is worth a line in the log, whether a list takes more.
 */
#ifndef QUEUE_QUEUE_CORE_H
#define QUEUE_QUEUE_CORE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/usec.h"

#define LINK_DELAY_MIN   (100 * USEC_MS)
#define LINK_DELAY_MAX   (5 * USEC_SECOND)
#define LINK_SPACING     (1500 * USEC_MS) /* three connections: 2 connects a second */
#define LINK_PROVEN      (5 * USEC_SECOND)
#define LINK_REFUSED_MAX (5 * USEC_SECOND)
#define GUARD_ASK        (1 * USEC_SECOND)
#define SPOILED_REST     (30 * USEC_SECOND)

enum link_news { LINK_NO_NEWS, LINK_CAME, LINK_WENT };

/* All zero at first. Times are monotonic. */
struct link {
	bool up;           /* connected, greeted */
	bool refused;      /* but what is asked of it is refused */
	unsigned failures; /* connects in a row that came to nothing */
	usec_t connect_at, up_at, refused_at;
	enum link_news told; /* what the log said last */
};

void link_connecting(struct link *link, usec_t now);
enum link_news link_up(struct link *link, usec_t now);
/* The connection ended or did not come about. *delay: until the next attempt. */
enum link_news link_lost(struct link *link, usec_t now, uint32_t random, usec_t *delay);
/* A command was refused for a reason that is Redis's and not the list's. */
enum link_news link_refused(struct link *link, usec_t now);
/* Refused for so long that another connection may reach a better server. */
bool link_is_stale(const struct link *link, usec_t now);
enum link_news link_accepted(struct link *link);

/* Whether a list takes more. All zero at first. */
struct guard {
	bool full;
	usec_t ask_at; /* when its length may be asked for again */
};

void guard_length(struct guard *guard, int64_t length, int64_t most, usec_t now);
/* True once per GUARD_ASK while the list is full: ask for its length. */
bool guard_wants_length(struct guard *guard, usec_t now);

#endif
