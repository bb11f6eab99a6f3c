/*
 * A message that changes something, as a change (change.h): its effect, its row in the
 * audit log and, under an idempotencyKey, what a repetition is answered are one
 * transaction; and it happens also when the client is gone meanwhile.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "front/ws_priv.h"

static void
making_free(void *state)
{
	struct ws_making *making = state;

	change_drop(&making->change);
	json_unref(&making->tools);
	free(making->by);
	free(making->who);
	free(making);
}

void
ws_making_refuse(struct ws_making *making, const char *code, struct json *errors,
		 const char *format, ...)
{
	char text[500];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	change_drop(&making->change);
	ws_refuse(making->request, code, errors, "%s", text);
}

void
ws_making_refuse_err(struct ws_making *making, const struct err *err)
{
	change_drop(&making->change);
	ws_refuse_err(making->request, err);
}

void
ws_making_made(struct ws_making *making, const char *id)
{
	struct json *stored = json_new_object();
	char *text;

	json_set(stored, "id", json_new_str(id));
	text = json_text(stored);
	change_answer(making->change, 200, text, strlen(text));
	json_unref(&stored);
	free(text);
}

/* What a repetition finds is enough to answer it as the first call was. */
static void
answer_made(struct ws_making *making, const struct change_result *result)
{
	struct json *stored = NULL;
	struct err err = { 0 };
	const char *id;

	if (json_parse(result->text, result->len, &stored, &err) < 0)
		bug("the stored answer of a change: %s", err.text);
	id = json_str(json_get(stored, "id"));
	if (id == NULL)
		bug("the stored answer of a change names nothing");
	making->answer(making->request, id);
	json_unref(&stored);
}

static void
on_done(void *context, const struct change_result *result)
{
	struct ws_making *making = context;
	struct ws_request *request = making->request;

	making->change = NULL;
	switch (result->outcome) {
	case CHANGE_OTHER:
		ws_refuse(request, "conflict", NULL,
			  "this idempotencyKey was used for another call");
		break;
	case CHANGE_BUSY:
		ws_refuse(request, "conflict", NULL,
			  "the call with this idempotencyKey is still running");
		break;
	case CHANGE_FAILED:
		ws_refuse_err(request, result->err);
		break;
	case CHANGE_REPEATED:
	case CHANGE_MADE:
		answer_made(making, result);
		break;
	}
}

static void
on_turn(void *context)
{
	struct ws_making *making = context;

	making->go(making);
}

/* What must be the same in a repetition: all but what names the call. */
static char *
body_of(const struct json *message, size_t *len)
{
	struct json *copy = json_copy(message);
	struct buf text = { 0 };

	json_remove(copy, "id");
	json_remove(copy, "idempotencyKey");
	json_write(copy, &text);
	json_unref(&copy);
	*len = text.len;
	return buf_take(&text);
}

void
ws_making_begin(struct ws_request *request, const struct ws_making_kind *kind,
		const char *target)
{
	struct ws_making *making = xcalloc(1, sizeof *making);
	struct ws_client *client = request->client;
	struct change_call call = {
		.what = kind->what,
		.target = target,
		.who = client->who,
		.address = client->address,
		.key = ws_text_field(request, "idempotencyKey"),
	};
	char *body = body_of(request->message, &call.body_len);

	call.body = body;
	making->request = request;
	making->go = kind->go;
	making->answer = kind->answer;
	making->project = client->identity.project;
	making->by = xstrdup(client->identity.name);
	making->who = xstrdup(client->who);
	making->tools = json_ref(client->identity.tools);
	request->state = making;
	request->free_state = making_free;
	making->change =
	    change_begin(request->ws->front->changes, &call, on_turn, on_done, making);
	free(body);
}

const struct uuid *
ws_making_project(const struct ws_making *making)
{
	return uuid_is_nil(&making->project) ? NULL : &making->project;
}
