/*
 * Pure: what a model has answered so far, whoever it was: text, tool calls, usage, why
 * it stopped. The wires (wire_*_core.c) fill it event by event. It counts only when it
 * is complete: the protocol said that nothing more comes.
 */
#ifndef MODEL_REPLY_CORE_H
#define MODEL_REPLY_CORE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "model/trouble_core.h"

#define REPLY_BYTES_MAX (4 * 1024 * 1024) /* of text and arguments */
#define REPLY_CALLS_MAX 64

enum reply_stop {
	REPLY_GOES_ON, /* not stopped yet */
	REPLY_ENDED,
	REPLY_TOOLS,   /* it waits for what the tools answer */
	REPLY_LENGTH,  /* at maxTokens: what is there is a part */
	REPLY_REFUSED, /* the provider's rules are against it */
};

/* Tokens. input counts all that went in; cache_read is the part of it that the provider
 * had already. Providers tell sums, not differences. */
struct usage {
	int64_t input, output, cache_read;
};

struct reply_call {
	int index;       /* by which the stream names it */
	char *id, *name; /* as the provider has them */
	char *signature; /* of Gemini: goes back with the call; or NULL */
	struct buf arguments;
};

struct reply {
	struct buf text;
	struct reply_call *calls;
	size_t calls_count;
	struct usage usage;
	bool has_usage;
	enum reply_stop stop;
	bool complete;
	bool
	    sealed; /* and the protocol's last word was heard: nothing can be missing */
	bool begun; /* the first event of a protocol that has one */
	int64_t last_number; /* of a protocol that numbers its events */
	size_t bytes;
	struct trouble trouble; /* kind not TROUBLE_NONE: nothing more is taken */
};

/* A piece of text. */
void reply_text(struct reply *reply, const char *text, size_t len);
/* The call of this index; made when it is new (then id and name may be NULL). NULL: too
 * many, and the reply is in trouble. */
struct reply_call *reply_call(struct reply *reply, int index);
void reply_name(struct reply_call *call, const char *id, const char *name);
/* A piece of a call's arguments, which are JSON when all are there. */
void reply_arguments(struct reply *reply, struct reply_call *call, const char *text,
		     size_t len);
void reply_usage(struct reply *reply, int64_t input, int64_t output,
		 int64_t cache_read);
/* The first trouble stays. */
void reply_fail(struct reply *reply, enum trouble_kind kind, const char *message);
/* The stream is over: whatever is not complete is in trouble from now on. */
void reply_close(struct reply *reply);
void reply_fini(struct reply *reply);

#endif
