/*
 * message: a bot says something to another one, or in a channel. Where a reply is
 * wanted, the other one answers at once, in this step: a model's conversation in which
 * what the two said in this run stands before.
 *
 *   say (stored) -> the receiver answers -> its answer is stored -> output
 */
#include <stdlib.h>
#include <string.h>

#include "actions/actions.h"
#include "actions/answer.h"
#include "base/xalloc.h"
#include "engine/action_fields.h"
#include "engine/bot_read.h"
#include "model/bot_talk.h"
#include "step_log.h"
#include "store/messages.h"
#include "tools/holding.h"

struct saying {
	struct attempt *attempt;
	struct message message;
	struct uuid session; /* of the two */
	struct bot_talk *talk;
	struct json *reply; /* while it is stored */
	bool storing, stopped, answered;
};

static void
fail(struct saying *saying, const char *code, const char *text)
{
	saying->answered = true;
	attempt_fail(saying->attempt, code, true, "%s", text);
}

static void
succeed(struct saying *saying, struct json *output)
{
	saying->answered = true;
	attempt_succeed(saying->attempt, output);
}

/* True: it went wrong, and the attempt has failed. */
static bool
went_wrong(struct saying *saying, bool has_sender, const struct err *err)
{
	saying->storing = false;
	if (err->kind == ERR_NONE && has_sender)
		return false;
	saying->answered = true;
	if (err->kind != ERR_NONE)
		answer_error(saying->attempt, NULL, err);
	else
		attempt_fail(saying->attempt, "no_bot", true,
			     "there is no bot \"%.100s\" for this run",
			     saying->message.from);
	return true;
}

/* ---- the reply ---- */

static void
on_replied(void *context, bool has_sender, const struct err *err)
{
	struct saying *saying = context;
	struct json *reply = saying->reply;

	if (went_wrong(saying, has_sender, err))
		return;
	saying->reply = NULL;
	succeed(saying, reply);
}

static void
on_answered(void *context, const struct bot_answer *answer)
{
	struct saying *saying = context;
	struct held_ref held = holding(saying->attempt);

	saying->reply = json_ref(answer->output);
	saying->storing = true;
	messages_reply(saying->attempt->services->pg, &held, &saying->message,
		       &saying->session, answer->text, on_replied, saying);
}

static void
let_answer(struct saying *saying, const struct message_sent *sent)
{
	step_log_printf(saying->attempt->log, STEP_INFO,
			"%s answers %s: message %d of this run", saying->message.to,
			saying->message.from, sent->before + 1);
	saying->session = sent->session;
	saying->talk = bot_talk_new(saying->attempt,
				    &(struct bot_question){
					.bot = &sent->receiver,
					.slug = saying->message.to,
					.prompt = saying->message.body,
					.peer_slug = saying->message.from,
					.peer = &sent->sender,
					.history = sent->history,
				    },
				    false, on_answered, saying);
}

/* ---- what is said ---- */

/* Two bots could go on for ever, each with something left to say. */
static void
refuse(struct saying *saying, const struct message_sent *sent)
{
	saying->answered = true;
	if (!sent->has_receiver)
		attempt_fail(saying->attempt, "no_bot", true,
			     "there is no bot \"%.100s\" for this run",
			     saying->message.to);
	else if (sent->before >= EXCHANGE_MAX)
		attempt_fail(saying->attempt, "message_loop", true,
			     "%s and %s have said %d things in this run: that is where "
			     "they stop",
			     saying->message.from, saying->message.to, sent->before);
	else
		attempt_fail(saying->attempt, "too_deep", true,
			     "runs and replies are nested at most %d deep", CHAIN_MAX);
}

static void
stop_here(struct saying *saying)
{
	saying->answered = true;
	attempt_fail(saying->attempt, "stopped", false, "told to stop");
}

static void
on_sent(void *context, const struct message_sent *sent, const struct err *err)
{
	struct saying *saying = context;

	if (went_wrong(saying, sent != NULL && sent->has_sender, err))
		return;
	if (!sent->said)
		refuse(saying, sent);
	else if (!saying->message.wait)
		succeed(saying, NULL);
	else if (sent->reply != NULL)
		succeed(saying, json_new_str(sent->reply));
	else if (saying->stopped)
		stop_here(saying);
	else
		let_answer(saying, sent);
}

static void
on_posted(void *context, bool has_sender, const struct err *err)
{
	struct saying *saying = context;

	if (!went_wrong(saying, has_sender, err))
		succeed(saying, NULL);
}

/* ---- begin ---- */

/* The file's reader has judged what is no template; here all of it. */
static const char *
what_is_wrong(const struct message *message)
{
	if (!bot_is_slug(message->from))
		return "from: expected the slug of a bot";
	if (message->channel != NULL && !bot_is_channel(message->channel))
		return "channel: expected letters, digits, \".\", _ and -";
	if (message->channel != NULL && message->wait)
		return "wait: nobody answers in a channel";
	if (message->channel == NULL && !bot_is_slug(message->to))
		return "to: expected the slug of a bot";
	if (message->channel == NULL && strcmp(message->from, message->to) == 0)
		return "to: a bot does not write to itself";
	if (*message->body == '\0' || strlen(message->body) > MESSAGE_BODY_MAX)
		return "body: expected 1 byte to 64 KiB";
	return NULL;
}

static struct message
read_message(const struct attempt *attempt)
{
	return (struct message){
		.id = holding_id(attempt, "message"),
		.reply_id = holding_id(attempt, "reply"),
		.from = field_text(attempt, "from", ""),
		.to = field_text(attempt, "to", ""),
		.channel = field_text(attempt, "channel", NULL),
		.body = field_text(attempt, "body", ""),
		.wait = field_flag(attempt, "wait", false),
	};
}

static void
send_it(struct saying *saying)
{
	struct pg *pg = saying->attempt->services->pg;
	struct held_ref held = holding(saying->attempt);

	saying->storing = true;
	if (saying->message.channel != NULL)
		messages_post(pg, &held, &saying->message, on_posted, saying);
	else
		messages_send(pg, &held, &saying->message, EXCHANGE_MAX, CHAIN_MAX,
			      on_sent, saying);
}

static void *
message_start(struct attempt *attempt)
{
	struct saying *saying;
	const char *why;

	if (!answer_checked(attempt, NULL, action_fields[ACTION_MESSAGE].fields))
		return NULL;
	saying = xcalloc(1, sizeof *saying);
	saying->attempt = attempt;
	saying->message = read_message(attempt);
	why = what_is_wrong(&saying->message);
	if (why == NULL) {
		send_it(saying);
		return saying;
	}
	fail(saying, "input", why);
	free(saying);
	return NULL;
}

/* What is being stored is waited for, but not by force. */
static void
message_stop(void *state, enum stop how)
{
	struct saying *saying = state;

	saying->stopped = true;
	if (saying->answered || bot_talk_stop(saying->talk, how))
		return;
	if (!saying->storing || how != STOP_FORCE)
		return;
	pg_forget(saying->attempt->services->pg, saying);
	stop_here(saying);
}

static void
message_free(void *state)
{
	struct saying *saying = state;

	pg_forget(saying->attempt->services->pg, saying);
	bot_talk_free(&saying->talk);
	json_unref(&saying->reply);
	free(saying);
}

const struct action action_message = {
	.name = "message",
	.start = message_start,
	.stop = message_stop,
	.free = message_free,
};
