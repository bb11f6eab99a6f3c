/*
 * What heartbeats found that needs action, to whom it is for: every connection of the
 * client that configured the heartbeat, and who follows every run. PostgreSQL tells by
 * which run, on the connection for reading; what it told while that was away is looked
 * for when it is back.
 */
#include <string.h>

#include "front/ws_priv.h"
#include "store/pg.h"

/* Before it was seen that the connection is lost, some may have been told to nobody. */
#define UNSEEN (60 * USEC_SECOND)

static bool
was_told(const struct ws *ws, const struct uuid *run)
{
	for (size_t i = 0; i < WS_ALERTS_TOLD; i++)
		if (uuid_equal(&ws->alerts_told[i], run))
			return true;
	return false;
}

static void
note_told(struct ws *ws, const struct uuid *run)
{
	ws->alerts_told[ws->alerts_next] = *run;
	ws->alerts_next = (ws->alerts_next + 1) % WS_ALERTS_TOLD;
}

/* ---- to whom ---- */

struct alert {
	struct uuid project, workflow; /* workflow nil: it has none any more */
	const char *configured_by;     /* or NULL */
	struct ws_text *text;
};

static bool
is_for(struct ws_client *client, const struct alert *alert)
{
	const struct uuid *confined = ws_client_project(client);

	if (!client->known ||
	    (confined != NULL && !uuid_equal(confined, &alert->project)))
		return false;
	return (alert->configured_by != NULL &&
		strcmp(client->who, alert->configured_by) == 0) ||
	       ws_subs_follow(client, &alert->project, &alert->workflow);
}

static void
tell(struct ws *ws, const struct alert *alert)
{
	list_each_safe (link, &ws->clients) {
		struct ws_client *client = container_of(link, struct ws_client, link);

		if (is_for(client, alert))
			ws_client_send_text(client, alert->text, NULL);
	}
}

/* Columns in the order of heartbeat_alerts.sql. */
static void
tell_row(struct ws *ws, const struct pg_rows *rows, int row)
{
	struct uuid run = pg_uuid(rows, row, 0);
	struct json *message;
	struct alert alert = {
		.project = pg_uuid(rows, row, 1),
		.configured_by = pg_text(rows, row, 3, NULL),
	};

	if (was_told(ws, &run))
		return;
	note_told(ws, &run);
	if (!pg_is_null(rows, row, 2))
		alert.workflow = pg_uuid(rows, row, 2);
	message = pg_json(rows, row, 4);
	alert.text = ws_text_of(message);
	tell(ws, &alert);
	ws_text_unref(&alert.text);
	json_unref(&message);
}

static void
on_alerts(void *context, const struct pg_rows *rows, const struct err *err)
{
	(void)err; /* the connection is away: they are looked for when it is back */
	for (int i = 0; rows != NULL && i < pg_count(rows); i++)
		tell_row(context, rows, i);
}

/* ---- what was told ---- */

static void
ask_begin(struct pg_args *args)
{
	pg_args_init(args);
	pg_array_begin(args, PG_UUID);
}

static void
ask_end(struct ws *ws, struct pg_args *args)
{
	pg_array_end(args);
	pg_query(ws->front->read, "heartbeat_alerts", args, on_alerts, ws);
	pg_args_fini(args);
}

void
ws_alerts_notified(struct ws *ws, const char *run)
{
	struct pg_args args;
	struct uuid id;

	if (list_empty(&ws->clients) || !uuid_parse(run, strlen(run), &id))
		return;
	ask_begin(&args);
	pg_arg_uuid(&args, &id);
	ask_end(ws, &args);
}

static void
on_missed(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct ws *ws = context;
	struct pg_args args;

	(void)err;
	if (rows == NULL || pg_count(rows) == 0)
		return;
	ask_begin(&args);
	for (int i = 0; i < pg_count(rows); i++) {
		struct uuid run = pg_uuid(rows, i, 0);

		pg_arg_uuid(&args, &run);
	}
	ask_end(ws, &args);
}

void
ws_alerts_state(struct ws *ws, bool up)
{
	usec_t now = loop_mono(ws->front->loop);
	struct pg_args args;

	if (!up) {
		if (ws->alerts_away_since == 0)
			ws->alerts_away_since = now;
		return;
	}
	if (ws->alerts_away_since == 0)
		return; /* the first time */
	pg_args_init(&args);
	pg_arg_int8(&args, now - ws->alerts_away_since + UNSEEN);
	pg_query(ws->front->read, "heartbeat_alerts_since", &args, on_missed, ws);
	pg_args_fini(&args);
	ws->alerts_away_since = 0;
}
