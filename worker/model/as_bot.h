/* As whom a model answers, when a bot does; and what its conversation came to. */
#ifndef MODEL_AS_BOT_H
#define MODEL_AS_BOT_H

#include "base/uuid7.h"
#include "model/usage_core.h"

struct as_bot {
	const char *slug;
	struct uuid bot;
	const struct uuid *peer;    /* the bot that it answers, or NULL */
	const struct json *history; /* [{from, body}] of before, or NULL */
	/* Told before the answer. */
	struct uuid session;
	struct json *usage; /* owned */
};

void as_bot_told(struct as_bot *as_bot, const struct uuid *session,
		 const struct usage_sum *used);

#endif
