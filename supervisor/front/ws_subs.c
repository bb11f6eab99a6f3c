/*
 * Subscriptions of a client: one run, or every run from now on, each in the dialect of
 * the message that asked for it. A client that reads slowly is waited for where its
 * events can be read later (one run): as long as it likes while it catches up, for two
 * seconds where it is up to date; then it gets the newest, and is told of the gap.
 */
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "front/api.h"
#include "front/catalog.h"
#include "front/front.h"
#include "front/ws_priv.h"
#include "store/pg.h"

#define PATIENCE (2 * USEC_SECOND)

struct sub_key {
	unsigned char dialect;
	struct uuid run; /* nil: every run */
};

struct sub {
	struct sub_key key;
	struct ws_client *client;
	struct uuid workflow, project; /* of every run: these only; nil: any */
	struct feed_sub *feed;
	struct ws_request *asking; /* is answered when it stands */
	int64_t stood;             /* the run's last seq then */
	int64_t seen;
	bool paused;
	bool over; /* the run has ended: hardly anything more will come */
};

/* What a message asks for while its names are looked up. */
struct asked {
	enum dialect dialect;
	struct feed_filter filter;
};

/* ---- messages of an event ---- */

static void
forget_encoded(struct ws_encoded *encoded)
{
	while (encoded->count > 0)
		ws_text_unref(&encoded->texts[--encoded->count]);
}

static const struct ws_encoded *
encode(struct ws *ws, enum dialect dialect, const struct feed_event *event)
{
	struct ws_encoded *encoded = &ws->encoded[dialect];
	usec_t turn = loop_mono(ws->front->loop);
	struct json *messages;

	if (encoded->turn == turn && encoded->seq == event->seq &&
	    uuid_equal(&encoded->run, &event->run))
		return encoded;
	forget_encoded(encoded);
	encoded->turn = turn;
	encoded->seq = event->seq;
	encoded->run = event->run;
	messages = json_new_array();
	dialect_encode(dialect, event, NULL, messages);
	for (size_t i = 0; i < json_count(messages) && i < WS_TEXTS_MAX; i++)
		encoded->texts[encoded->count++] = ws_text_of(json_at(messages, i));
	json_unref(&messages);
	return encoded;
}

/* ---- slow clients ---- */

static void
pause_sub(struct sub *sub, bool pause)
{
	if (sub->paused == pause)
		return;
	sub->paused = pause;
	feed_pause(sub->feed, pause);
}

static void
on_patience(void *context)
{
	struct ws_client *client = context;
	size_t cursor = 0;
	void *value;

	client->overrun = true;
	while (map_next(client->subs, &cursor, NULL, NULL, &value)) {
		struct sub *sub = value;

		if (sub->seen >= sub->stood)
			pause_sub(sub, false);
	}
}

void
ws_subs_room(struct ws_client *client)
{
	size_t cursor = 0;
	void *value;

	client->overrun = false;
	timer_stop(client->patience);
	while (map_next(client->subs, &cursor, NULL, NULL, &value))
		pause_sub(value, false);
}

/* After sending to it. Every run's events cannot be read later. */
static void
mind_room(struct sub *sub)
{
	struct ws_client *client = sub->client;

	if (uuid_is_nil(&sub->key.run) || !client->choked ||
	    (client->overrun && sub->seen >= sub->stood))
		return;
	pause_sub(sub, true);
	if (!client->overrun && !timer_is_set(client->patience))
		timer_set(client->patience, PATIENCE);
}

/* ---- life ---- */

void
ws_subs_init(struct ws_client *client)
{
	client->subs = map_new();
	client->patience = timer_new(client->ws->front->loop, on_patience, client);
}

static void
sub_free(struct sub *sub)
{
	feed_unsubscribe(&sub->feed);
	if (sub->asking != NULL)
		ws_request_end(sub->asking);
	free(sub);
}

void
ws_subs_fini(struct ws_client *client)
{
	size_t cursor = 0;
	void *value;

	while (map_next(client->subs, &cursor, NULL, NULL, &value))
		sub_free(value);
	map_free(&client->subs, NULL);
	timer_free(&client->patience);
}

static struct sub_key
key_of(enum dialect dialect, const struct uuid *run)
{
	struct sub_key key;

	memset(&key, 0, sizeof key);
	key.dialect = (unsigned char)dialect;
	key.run = *run;
	return key;
}

static struct sub *
find(struct ws_client *client, enum dialect dialect, const struct uuid *run)
{
	struct sub_key key = key_of(dialect, run);

	return map_get(client->subs, &key, sizeof key);
}

static void
remove_sub(struct sub *sub)
{
	if (sub->asking != NULL)
		ws_refuse(sub->asking, "conflict", NULL,
			  "it was asked again meanwhile");
	sub->asking = NULL;
	map_remove(sub->client->subs, &sub->key, sizeof sub->key);
	sub_free(sub);
}

static bool
fits(const struct uuid *wanted, const struct uuid *has)
{
	return uuid_is_nil(wanted) || uuid_equal(wanted, has);
}

bool
ws_subs_follow(const struct ws_client *client, const struct uuid *project,
	       const struct uuid *workflow)
{
	const struct uuid every = { { 0 } };
	const struct sub_key key = key_of(DIALECT_COLON, &every);
	const struct sub *sub = map_get(client->subs, &key, sizeof key);

	return sub != NULL && fits(&sub->project, project) &&
	       fits(&sub->workflow, workflow);
}

/* ---- what the feed tells ---- */

static void
answer_subscribed(struct ws_request *request, const struct sub *sub)
{
	struct json *answer = ws_answer_new(request, "ack");
	const char *name = sub->key.dialect == DIALECT_COLON ? "executionId" : "run_id";
	char run[UUID_TEXT] = "*";

	if (!uuid_is_nil(&sub->key.run)) {
		uuid_format(&sub->key.run, run);
		json_set(answer, "lastSeq", json_new_int(sub->stood));
	}
	json_set(answer, name, json_new_str(run));
	ws_answer(request, answer);
}

static void
on_started(void *context, int64_t last_seq, const struct err *err)
{
	struct sub *sub = context;
	struct ws_request *request = sub->asking;

	sub->asking = NULL;
	if (err != NULL && err->kind != ERR_NONE) {
		if (err->kind == ERR_NOT_FOUND)
			ws_refuse(request, "not_found", NULL,
				  "there is no such execution");
		else
			ws_refuse_err(request, err);
		remove_sub(sub);
		return;
	}
	sub->stood = last_seq;
	answer_subscribed(request, sub);
}

static bool
is_end(const char *type)
{
	static const char *const ends[] = { "run.completed", "run.failed",
					    "run.cancelled", "run.timed_out" };

	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
		if (strcmp(type, ends[i]) == 0)
			return true;
	return false;
}

/* A run that has a subscription of its own is not told twice. */
static void
on_event(void *context, const struct feed_event *event)
{
	struct sub *sub = context;
	struct ws_client *client = sub->client;
	const struct ws_origin origin = { event->run, event->seq };
	const struct ws_encoded *encoded;

	if (uuid_is_nil(&sub->key.run) &&
	    find(client, (enum dialect)sub->key.dialect, &event->run) != NULL)
		return;
	sub->seen = event->seq;
	sub->over = is_end(event->type);
	encoded = encode(client->ws, (enum dialect)sub->key.dialect, event);
	for (size_t i = 0; i < encoded->count; i++)
		ws_client_send_text(client, encoded->texts[i], &origin);
	mind_room(sub);
}

/* ---- subscribing ---- */

static int64_t
since_of(const struct ws_request *request)
{
	const struct json *since = json_get(request->message, "since");

	return since != NULL ? json_int(since) : -1;
}

/* Whoever follows run after run need not unsubscribe from each. False: all are alive.
 */
static bool
make_room(struct ws_client *client)
{
	size_t cursor = 0;
	void *value;

	if (map_count(client->subs) < WS_SUBSCRIPTIONS_MAX)
		return true;
	while (map_next(client->subs, &cursor, NULL, NULL, &value)) {
		struct sub *sub = value;

		if (sub->over && !uuid_is_nil(&sub->key.run)) {
			remove_sub(sub);
			return true;
		}
	}
	return false;
}

/* The same again takes the place of what was there. */
static void
subscribe(struct ws_request *request, enum dialect dialect,
	  const struct feed_filter *filter)
{
	struct ws_client *client = request->client;
	struct sub *sub = find(client, dialect, &filter->run);

	if (sub != NULL)
		remove_sub(sub);
	if (!make_room(client)) {
		ws_refuse(request, "rate_limited", NULL,
			  "at most %d runs that have not ended", WS_SUBSCRIPTIONS_MAX);
		return;
	}
	sub = xcalloc(1, sizeof *sub);
	sub->key = key_of(dialect, &filter->run);
	sub->client = client;
	sub->workflow = filter->workflow;
	sub->project = filter->project;
	sub->asking = request;
	map_put(client->subs, &sub->key, sizeof sub->key, sub);
	sub->feed = feed_subscribe(client->ws->front->feed, filter,
				   filter->every ? -1 : since_of(request), on_started,
				   on_event, sub);
}

static void
on_run_found(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct ws_request *request = context;
	struct asked *asked = request->state;

	if (request->client == NULL) {
		ws_request_end(request);
	} else if (rows == NULL) {
		ws_refuse_err(request, err);
	} else if (pg_count(rows) == 0) {
		ws_refuse(request, "not_found", NULL, "there is no such execution");
	} else {
		asked->filter.run = pg_uuid(rows, 0, 0);
		subscribe(request, asked->dialect, &asked->filter);
	}
}

static void
on_workflow_found(void *context, const struct catalog_entry *entry,
		  const struct err *err)
{
	struct ws_request *request = context;
	struct asked *asked = request->state;
	const struct uuid *confined = &asked->filter.confined;

	if (request->client == NULL) {
		ws_request_end(request);
	} else if (entry == NULL && err->kind != ERR_INPUT) {
		ws_refuse_err(request, err);
	} else if (entry == NULL || (entry->has_project && !uuid_is_nil(confined) &&
				     !uuid_equal(&entry->project, confined))) {
		ws_refuse(request, "not_found", NULL, "there is no such workflow");
	} else {
		asked->filter.workflow = entry->workflow_id;
		subscribe(request, asked->dialect, &asked->filter);
	}
}

static void
remember(struct ws_request *request, enum dialect dialect,
	 const struct feed_filter *filter)
{
	const struct asked asked = { dialect, *filter };

	request->state = xmemdup(&asked, sizeof asked);
	request->free_state = free;
}

static void
subscribe_every(struct ws_request *request, enum dialect dialect,
		struct feed_filter *filter)
{
	const char *workflow = ws_text_field(request, "workflowId");
	const struct uuid *project = ws_client_project(request->client);

	filter->every = true;
	if (ws_uuid_field(request, "projectId", &filter->project) && project == NULL)
		project = &filter->project;
	if (workflow == NULL) {
		subscribe(request, dialect, filter);
		return;
	}
	remember(request, dialect, filter);
	catalog_find(request->ws->front->catalog, project, workflow, 0,
		     on_workflow_found, request);
}

static void
on_asked(struct ws_request *request, enum dialect dialect, const char *run)
{
	struct front *front = request->ws->front;
	const struct uuid *project = ws_client_project(request->client);
	struct feed_filter filter = { .every = false };
	struct pg_args args;

	if (project != NULL)
		filter.confined = *project;
	if (strcmp(run, "*") == 0) {
		subscribe_every(request, dialect, &filter);
	} else if (uuid_parse(run, strlen(run), &filter.run)) {
		subscribe(request, dialect, &filter);
	} else {
		remember(request, dialect, &filter);
		pg_args_init(&args);
		api_arg_run_named(&args, run, project);
		pg_query(front->read, "executions_find", &args, on_run_found, request);
		pg_args_fini(&args);
	}
}

void
ws_on_subscribe(struct ws_request *request)
{
	on_asked(request, DIALECT_COLON, ws_text_field(request, "executionId"));
}

void
ws_on_subscribe_camel(struct ws_request *request)
{
	on_asked(request, DIALECT_CAMEL, ws_text_field(request, "run_id"));
}

/* ---- and no longer ---- */

static void
unsubscribe(struct ws_request *request, enum dialect dialect, const struct uuid *run)
{
	struct sub *sub = find(request->client, dialect, run);

	if (sub != NULL)
		remove_sub(sub);
	ws_answer_plain(request, "ack");
}

static void
on_run_found_again(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct ws_request *request = context;
	struct asked *asked = request->state;
	struct uuid run;

	if (request->client == NULL) {
		ws_request_end(request);
	} else if (rows == NULL) {
		ws_refuse_err(request, err);
	} else if (pg_count(rows) == 0) {
		ws_answer_plain(request, "ack");
	} else {
		run = pg_uuid(rows, 0, 0);
		unsubscribe(request, asked->dialect, &run);
	}
}

/* What is not subscribed to is not a fault: it may have been meant to be sure. */
static void
on_asked_no_longer(struct ws_request *request, enum dialect dialect, const char *name)
{
	const struct feed_filter none = { .every = false };
	struct uuid run = { { 0 } };
	struct pg_args args;

	if (strcmp(name, "*") == 0 || uuid_parse(name, strlen(name), &run)) {
		unsubscribe(request, dialect, &run);
		return;
	}
	remember(request, dialect, &none);
	pg_args_init(&args);
	api_arg_run_named(&args, name, ws_client_project(request->client));
	pg_query(request->ws->front->read, "executions_find", &args, on_run_found_again,
		 request);
	pg_args_fini(&args);
}

void
ws_on_unsubscribe(struct ws_request *request)
{
	on_asked_no_longer(request, DIALECT_COLON,
			   ws_text_field(request, "executionId"));
}

void
ws_on_unsubscribe_camel(struct ws_request *request)
{
	on_asked_no_longer(request, DIALECT_CAMEL, ws_text_field(request, "run_id"));
}
