/*
 * How bots and channels are called, and what `agent` and `message` steps name of them.
 * Which bots there are is for the database to say, so only the form of the names is
 * checked here.
 */
#ifndef ENGINE_BOT_READ_H
#define ENGINE_BOT_READ_H

#include "engine/reader.h"
#include "engine/workflow.h"

#define BOT_SLUG_MAX     64
#define BOT_PROMPT_MAX   (100 * 1024)
#define CHANNEL_NAME_MAX 64
#define MESSAGE_BODY_MAX (64 * 1024)
#define EXCHANGE_MAX     50 /* messages of two bots in a run, replies counted */
#define CHAIN_MAX        8  /* runs and replies, one inside the other */

/* Small letters, digits and -, the first no -; at most BOT_SLUG_MAX. */
bool bot_is_slug(const char *text);
/* Letters, digits, ".", _ and -; at most CHANNEL_NAME_MAX. */
bool bot_is_channel(const char *text);
/* The names in a step, as far as they are no templates, and that only a bot can be
 * waited for. */
void bot_read_names(struct reader *reader, const struct place *step_place,
		    enum action_kind action);

#endif
