/*
 * A bot answers inside a step: an attempt of the action `model` with the bot's system
 * prompt, model and tools, or of the action `skill` where a skill answers for it; under
 * the rights of the run. Its failure is the step's.
 */
#ifndef MODEL_BOT_TALK_H
#define MODEL_BOT_TALK_H

#include "actions/action.h"
#include "store/bots.h"

struct bot_talk;

/* What is asked; all is borrowed for the call. */
struct bot_question {
	const struct bot_row *bot;
	const char *slug, *prompt;
	const struct json *fields; /* model, maxTokens, maxToolRounds, budget go before
				      the bot's; or NULL */
	/* Of a message from another bot; or NULL. */
	const char *peer_slug;
	const struct uuid *peer;
	struct json *history; /* [{from, body}] */
};

struct bot_answer {
	const char *text;            /* NULL: it is no text, but fits outputSchema */
	struct json *output, *usage; /* usage NULL: no model was asked */
	struct uuid session;         /* nil: there is none */
};

/* Called once, on any later turn, unless the attempt has failed. answer is borrowed. */
typedef void bot_answered_fn(void *context, const struct bot_answer *answer);

/* Not inside the start of the attempt's action: the attempt may fail at once. with
 * schema: the answer is to fit the step's outputSchema. */
struct bot_talk *bot_talk_new(struct attempt *attempt,
			      const struct bot_question *question, bool with_schema,
			      bot_answered_fn *done, void *context);
/* Told to end; the attempt's answer comes. False: nothing is at work. */
bool bot_talk_stop(struct bot_talk *talk, enum stop how);
void bot_talk_free(struct bot_talk **talk_p);

#endif
