/* Messages are stored, with what their answer needs. See messages.h. */
#include "store/messages.h"

#include <stdlib.h>

#include "base/xalloc.h"
#include "store/held.h"

/* Of messages_send.sql; the receiver's own begin with its id. */
enum sent_column {
	SENT_SENDER = 1,
	SENT_RECEIVER,
	SENT_DEPTH,
	SENT_BEFORE,
	SENT_SESSION,
	SENT_REPLY,
	SENT_SENDER_ID,
	SENT_RECEIVER_ID,
	SENT_HISTORY = SENT_RECEIVER_ID + BOT_ROW_COLUMNS
};

struct sending {
	message_sent_fn *done;
	void *context;
	struct message_sent sent;
	struct json *tools, *history;
	char *system, *model, *handler, *reply;
};

static char *
text_of(const struct pg_rows *rows, int column)
{
	return pg_is_null(rows, 0, column) ? NULL
					   : xstrdup(pg_text(rows, 0, column, NULL));
}

/* The rows do not live until the transaction is known to be committed. */
static void
keep_receiver(struct sending *sending, const struct pg_rows *rows)
{
	struct bot_row row = bot_row_read(rows, SENT_RECEIVER_ID, &sending->tools);

	row.system = sending->system = xstrdup(row.system);
	row.model = sending->model = xstrdup(row.model);
	row.handler = sending->handler = xstrdup(row.handler);
	sending->sent.receiver = row;
}

static void
keep_sent(void *context, const struct pg_rows *rows)
{
	struct sending *sending = context;
	struct message_sent *sent = &sending->sent;

	sent->has_sender = pg_bool(rows, 0, SENT_SENDER);
	sent->has_receiver = pg_bool(rows, 0, SENT_RECEIVER);
	sent->depth = (int)pg_int(rows, 0, SENT_DEPTH);
	sent->before = (int)pg_int(rows, 0, SENT_BEFORE);
	sent->said = !pg_is_null(rows, 0, SENT_SESSION);
	if (!sent->said)
		return;
	sent->session = pg_uuid(rows, 0, SENT_SESSION);
	sent->sender = pg_uuid(rows, 0, SENT_SENDER_ID);
	sent->reply = sending->reply = text_of(rows, SENT_REPLY);
	sent->history = sending->history = pg_json(rows, 0, SENT_HISTORY);
	keep_receiver(sending, rows);
}

static void
on_sent(void *context, const struct err *err)
{
	struct sending *sending = context;

	sending->done(sending->context, err->kind == ERR_NONE ? &sending->sent : NULL,
		      err);
	json_unref(&sending->tools);
	json_unref(&sending->history);
	free(sending->system);
	free(sending->model);
	free(sending->handler);
	free(sending->reply);
}

void
messages_send(struct pg *pg, const struct held_ref *held, const struct message *message,
	      int most, int deepest, message_sent_fn *done, void *context)
{
	struct sending *sending = xcalloc(1, sizeof *sending);
	struct pg_args args;

	sending->done = done;
	sending->context = context;
	held_args(&args, held);
	pg_arg_uuid(&args, &message->id);
	pg_arg_uuid(&args, &message->reply_id);
	pg_arg_text(&args, message->from);
	pg_arg_text(&args, message->to);
	pg_arg_text(&args, message->body);
	pg_arg_bool(&args, message->wait);
	pg_arg_int4(&args, most);
	pg_arg_int4(&args, deepest);
	held_send(pg, held, "messages_send", &args, keep_sent, on_sent, sending,
		  context);
	pg_args_fini(&args);
}

/* ---- without an answer that counts ---- */

struct saying {
	message_done_fn *done;
	void *context;
	bool has_sender;
};

static void
keep_posted(void *context, const struct pg_rows *rows)
{
	struct saying *saying = context;

	saying->has_sender = pg_bool(rows, 0, 1);
}

static void
on_said(void *context, const struct err *err)
{
	struct saying *saying = context;

	saying->done(saying->context, saying->has_sender, err);
}

static struct saying *
saying_new(message_done_fn *done, void *context)
{
	struct saying *saying = xcalloc(1, sizeof *saying);

	*saying = (struct saying){ .done = done, .context = context };
	return saying;
}

void
messages_post(struct pg *pg, const struct held_ref *held, const struct message *message,
	      message_done_fn *done, void *context)
{
	struct pg_args args;

	held_args(&args, held);
	pg_arg_uuid(&args, &message->id);
	pg_arg_text(&args, message->from);
	pg_arg_text(&args, message->channel);
	pg_arg_text(&args, message->body);
	held_send(pg, held, "messages_post", &args, keep_posted, on_said,
		  saying_new(done, context), context);
	pg_args_fini(&args);
}

void
messages_reply(struct pg *pg, const struct held_ref *held,
	       const struct message *message, const struct uuid *session,
	       const char *body, message_done_fn *done, void *context)
{
	struct saying *saying = saying_new(done, context);
	struct pg_args args;

	saying->has_sender = true;
	held_args(&args, held);
	pg_arg_uuid(&args, &message->reply_id);
	pg_arg_uuid(&args, session);
	pg_arg_text(&args, message->to);
	pg_arg_text(&args, message->from);
	pg_arg_text(&args, body);
	held_send(pg, held, "messages_reply", &args, NULL, on_said, saying, context);
	pg_args_fini(&args);
}
