/*
 * Pure: server-sent events, bytes in any pieces -> events. Lines end with CR, LF or
 * both, a byte order mark at the beginning is passed over, several `data` lines are one
 * text. What has no empty line behind it when the stream ends was no event. The last id
 * and the time to wait before connecting again are kept for who asks.
 */
#ifndef WORKER_SSE_CORE_H
#define WORKER_SSE_CORE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

#define SSE_EVENT_MAX (8 * 1024 * 1024) /* bytes of one event, and of one line */

#define SSE_ID_MAX    1024    /* bytes; a longer one is as none */
#define SSE_RETRY_MAX 3600000 /* milliseconds */

struct sse {
	struct buf line;  /* the one that is being read */
	struct buf data;  /* of the event that is being read, lines joined by LF */
	struct buf event; /* its name; empty: "message" */
	struct buf id;    /* the last one told; empty: none */
	long retry_ms;    /* at most SSE_RETRY_MAX; 0: never told */
	bool has_data;
	bool after_cr;  /* a LF now belongs to the line before */
	size_t started; /* bytes of the byte order mark seen; BOM_DONE: past it */
};

/* event: never NULL. data: with a NUL behind its end. Both are borrowed. */
typedef void sse_event_fn(void *context, const char *event, const char *data,
			  size_t len);

/* -1 with err (ERR_LIMIT) when a line or an event is too long. */
int sse_feed(struct sse *sse, const char *bytes, size_t len, sse_event_fn *on_event,
	     void *context, struct err *err);
void sse_fini(struct sse *sse);

#endif
