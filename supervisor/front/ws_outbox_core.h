/*
 * What is still to be sent to one client, and what goes when there is too much of it:
 * the oldest events, told by one events.gap a run, at the place where they stood.
 * Answers and what else a client may not miss are kept. Pure.
 */
#ifndef FRONT_WS_OUTBOX_CORE_H
#define FRONT_WS_OUTBOX_CORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"
#include "base/map.h"
#include "base/uuid7.h"

#define WS_UNSENT_MAX                                                                  \
	(1024 * 1024) /* bytes for one client, with what the stream has                \
		       */

/* A message, shared by all who get it. */
struct ws_text {
	size_t refs;
	size_t len;
	char *packed; /* compressed, once somebody wanted that; NULL: not yet */
	size_t packed_len;
	char data[];
};

struct ws_text *ws_text_new(const char *data, size_t len);
struct ws_text *ws_text_ref(struct ws_text *text); /* returns its argument */
void ws_text_unref(struct ws_text **text_p);

/* An event: may be dropped, since its run's log has it. */
struct ws_origin {
	struct uuid run;
	int64_t seq;
};

struct ws_outbox {
	struct list items;     /* in the order of sending */
	struct list droppable; /* those of them that are events */
	struct map *gaps;      /* run -> the item that stands for its dropped ones */
	size_t bytes;
};

void ws_outbox_init(struct ws_outbox *outbox);
void ws_outbox_fini(struct ws_outbox *outbox);
void ws_outbox_clear(struct ws_outbox *outbox);
bool ws_outbox_empty(const struct ws_outbox *outbox);
/* Takes the text. origin NULL: it may not be dropped. sending: bytes that are on their
 * way already. False: over the limit, and nothing is left that could go (a message that
 * came into an empty outbox is always taken). */
bool ws_outbox_add(struct ws_outbox *outbox, struct ws_text **text_p,
		   const struct ws_origin *origin, size_t sending);
/* Stands for an event that never came here. */
bool ws_outbox_add_gap(struct ws_outbox *outbox, const struct ws_origin *origin,
		       size_t sending);
/* The next one, the caller's; NULL: there is none. */
struct ws_text *ws_outbox_take(struct ws_outbox *outbox);

#endif
