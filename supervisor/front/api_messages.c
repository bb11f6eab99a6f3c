/*
 * What is said over HTTP to a bot or in a channel, by a person or in the name of a bot.
 * It is kept for who reads the session; bots answer in steps of runs.
 */
#include <string.h>

#include "engine/bot_read.h"
#include "front/api.h"
#include "front/api_body.h"

struct saying {
	struct exchange *exchange;
	struct uuid id;
	bool to_channel;
};

static void
on_read_back(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct saying *saying = context;
	const char *text;
	size_t len;

	if (rows == NULL || pg_count(rows) == 0) {
		api_on_json(saying->exchange, rows, err);
		return;
	}
	text = pg_text(rows, 0, 0, &len);
	reply_json_text(saying->exchange, 201, text, len);
}

static void
read_back(struct saying *saying)
{
	struct pg_args args;

	pg_args_init(&args);
	pg_arg_uuid(&args, &saying->id);
	pg_query(exchange_pg(saying->exchange), "messages_get", &args, on_read_back,
		 saying);
	pg_args_fini(&args);
}

static void
on_said(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct saying *saying = context;
	struct exchange *exchange = saying->exchange;

	if (rows == NULL)
		reply_err(exchange, err);
	else if (!saying->to_channel && !pg_bool(rows, 0, 0))
		reply_problem(exchange, 404, NULL, "there is no such bot");
	else if (!pg_bool(rows, 0, saying->to_channel ? 0 : 1))
		reply_problem(exchange, 422, NULL,
			      "from: there is no such bot that could say it");
	else
		read_back(saying);
}

struct words {
	const char *from, *body;
};

/* -1: refused, and that was said. Borrowed from the exchange's body. */
static int
read_words(struct exchange *exchange, struct words *words)
{
	static const char *const keys[] = { "body", "from", NULL };
	struct json *body;
	bool good;

	*words = (struct words){ 0 };
	if (api_body(exchange, keys, &body) < 0)
		return -1;
	good = api_body_text(exchange, body, "body", 1, MESSAGE_BODY_MAX, API_NEEDED,
			     &words->body) == 0 &&
	       api_body_text(exchange, body, "from", 1, BOT_SLUG_MAX, API_OPTIONAL,
			     &words->from) == 0;
	json_unref(&body);
	return good ? 0 : -1;
}

static void
say(struct exchange *exchange, const char *statement, const char *to, bool to_channel)
{
	struct saying *saying;
	struct words words;
	struct pg_args args;

	if (read_words(exchange, &words) < 0)
		return;
	saying = exchange_keep(exchange, sizeof *saying);
	*saying = (struct saying){
		.exchange = exchange,
		.id = uuid7_new(loop_now(exchange_front(exchange)->loop)),
		.to_channel = to_channel,
	};
	pg_args_init(&args);
	pg_arg_uuid(&args, &saying->id);
	pg_arg_text(&args, to);
	pg_arg_text(&args, words.from);
	pg_arg_text(&args, exchange_who(exchange));
	pg_arg_text(&args, words.body);
	api_arg_confined(exchange, &args);
	pg_query(exchange_pg(exchange), statement, &args, on_said, saying);
	pg_args_fini(&args);
}

static void
on_bot(struct exchange *exchange)
{
	say(exchange, "messages_to_bot", exchange_param(exchange, "id"), false);
}

static void
on_channel(struct exchange *exchange)
{
	const char *name = exchange_param(exchange, "name");

	if (bot_is_channel(name))
		say(exchange, "messages_to_channel", name, true);
	else
		reply_problem(exchange, 422, NULL,
			      "the channel: expected letters, digits, \".\", _ and -, "
			      "at most %d",
			      CHANNEL_NAME_MAX);
}

/* clang-format off */
const struct route routes_messages[] = {
	{ "POST", "/api/bots/:id/send",       ROLE_OPERATOR, 0, false, on_bot,     "message.send" },
	{ "POST", "/api/channels/:name/send", ROLE_OPERATOR, 0, false, on_channel, "message.send" },
	{ 0 },
};
/* clang-format on */
