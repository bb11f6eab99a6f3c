/*
 * Pure: why a call to a model failed, and what that means: whether trying again can
 * help, and after how long. From a status and the body of an error, an error in a
 * stream, or what the network did.
 */
#ifndef MODEL_TROUBLE_CORE_H
#define MODEL_TROUBLE_CORE_H

#include <stdbool.h>

#include "base/usec.h"
#include "json/json.h"

enum trouble_kind {
	TROUBLE_NONE,
	TROUBLE_LIMITED,    /* too many requests: later */
	TROUBLE_OVERLOADED, /* the provider has too much to do: later */
	TROUBLE_SERVER,     /* the provider's own fault */
	TROUBLE_NETWORK,    /* no answer */
	TROUBLE_STALLED,    /* no byte for too long */
	TROUBLE_CUT,        /* the answer ended in the middle */
	TROUBLE_GARBAGE,    /* the answer makes no sense */
	TROUBLE_TOO_LARGE,  /* more than we take */
	TROUBLE_AUTH,       /* the key is wrong, or may not */
	TROUBLE_QUOTA,      /* nothing is left on the account */
	TROUBLE_NO_MODEL,   /* unknown there */
	TROUBLE_TOO_LONG,   /* what was sent does not fit into the model */
	TROUBLE_REQUEST,    /* what was sent is wrong */
	TROUBLE_KINDS
};

#define TROUBLE_TEXT 600

struct trouble {
	enum trouble_kind kind;
	char message[TROUBLE_TEXT]; /* one line, UTF-8, cut when longer */
	usec_t wait;                /* that the provider asked for; 0: it did not */
};

const char *trouble_code(enum trouble_kind kind); /* the error's: "rate_limited" */
bool trouble_is_final(enum trouble_kind kind);    /* the same again fails again */

void trouble_set(struct trouble *trouble, enum trouble_kind kind, const char *message);
/* An answer with another status than 2xx; body: what came with it, parsed, or NULL. */
void trouble_of_status(struct trouble *trouble, int status, const struct json *body);
/* An error told inside a stream: {type, code, status, message} in any selection. */
void trouble_of_event(struct trouble *trouble, const struct json *error);

/* Retry-After: seconds, or one of the three dates of HTTP. now: by the clock of who
 * wrote it. False: it is neither. At most a day. */
bool retry_after(const char *text, usec_t now, usec_t *wait);
bool http_date(const char *text, usec_t *instant);
/* "34.5s", as in Gemini's errors; milliseconds where a header says so. */
bool retry_seconds(const char *text, usec_t *wait);

#endif
