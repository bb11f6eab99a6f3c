/*
 * Pure: what a model has answered so far, whoever it was: text, tool calls, usage, why
 * it stopped. The wires (wire_*_core.c) fill it event by event. It counts only when it
 * is complete: the protocol said that nothing more comes.
 */
#ifndef MODEL_HEARD_CORE_H
#define MODEL_HEARD_CORE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "model/trouble_core.h"

#define HEARD_BYTES_MAX (4 * 1024 * 1024) /* of text and arguments */
#define HEARD_CALLS_MAX 64

enum heard_stop {
	HEARD_GOES_ON, /* not stopped yet */
	HEARD_ENDED,
	HEARD_TOOLS,   /* it waits for what the tools answer */
	HEARD_LENGTH,  /* at maxTokens: what is there is a part */
	HEARD_REFUSED, /* the provider's rules are against it */
};

/* Tokens. input counts all that went in; cache_read is the part of it that the provider
 * had already. Providers tell sums, not differences. */
struct usage {
	int64_t input, output, cache_read;
};

struct heard_call {
	int index;       /* by which the stream names it */
	char *id, *name; /* as the provider has them */
	char *signature; /* of Gemini: goes back with the call; or NULL */
	struct buf arguments;
};

struct heard {
	struct buf text;
	struct heard_call *calls;
	size_t calls_count;
	struct usage usage;
	bool has_usage;
	enum heard_stop stop;
	bool complete;
	bool
	    sealed; /* and the protocol's last word was heard: nothing can be missing */
	bool begun; /* the first event of a protocol that has one */
	int64_t last_number; /* of a protocol that numbers its events */
	size_t bytes;
	struct trouble trouble; /* kind not TROUBLE_NONE: nothing more is taken */
};

/* A piece of text. */
void heard_text(struct heard *reply, const char *text, size_t len);
/* The call of this index; made when it is new (then id and name may be NULL). NULL: too
 * many, and the reply is in trouble. */
struct heard_call *heard_call(struct heard *reply, int index);
void heard_name(struct heard_call *call, const char *id, const char *name);
/* A piece of a call's arguments, which are JSON when all are there. */
void heard_arguments(struct heard *reply, struct heard_call *call, const char *text,
		     size_t len);
void heard_usage(struct heard *reply, int64_t input, int64_t output,
		 int64_t cache_read);
/* The first trouble stays. */
void heard_fail(struct heard *reply, enum trouble_kind kind, const char *message);
/* The stream is over: whatever is not complete is in trouble from now on. */
void heard_close(struct heard *reply);
void heard_fini(struct heard *reply);

#endif
