/*
 * Builds the front, runs it, takes it down. Lines of the parent, signals, the beat of
 * this node. What clients get is in the api_* files.
 */
#include "front/front.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/xalloc.h"
#include "front/admits.h"
#include "front/auth.h"
#include "front/catalog.h"
#include "front/change.h"
#include "front/discovery.h"
#include "front/feed.h"
#include "front/front_main.h"
#include "front/graves.h"
#include "front/inserts.h"
#include "front/listen.h"
#include "front/own_workflows.h"
#include "front/rates.h"
#include "front/route.h"
#include "front/run_files.h"
#include "front/ws.h"
#include "record/records.h"
#include "store/workers.h"

/* PostgreSQL has so long, before clients are told that it is not there. */
#define OPEN_PATIENCE (2 * USEC_SECOND)
#define OPEN_LOOK     (10 * USEC_MS)
#define BEAT          (3 * USEC_SECOND)

struct shell {
	struct front front;
	struct graves *graves;
	struct timer *beat, *opening, *patience;
	usec_t open_at_last; /* monotonic */
	int followed;        /* a wish of another node; -1: there is none */
	bool kept;           /* somebody accepts from the sockets after us */
	bool closing;        /* the delay is over */
	struct signal_watch *term, *hup;
};

/* ---- what the parent says ---- */

static void
on_dead(struct shell *shell, const char *text)
{
	struct ending ending;
	struct uuid id;

	if (ending_parse(text, &id, &ending))
		graves_bury(shell->graves, &id, &ending);
}

static void
on_pool(struct shell *shell, const char *text)
{
	struct json *pool = NULL;
	struct err err = { 0 };

	if (json_parse(text, strlen(text), &pool, &err) < 0)
		return;
	json_unref(&shell->front.pool);
	shell->front.pool = pool;
}

/* Not ready any more, so that load balancers look elsewhere; all is still served, until
 * the delay is over (or the parent's patience: "now"). */
static void
drain(struct shell *shell, bool now)
{
	if (!shell->front.draining) {
		log_info("front.draining", F_STR("why", "asked to"));
		shell->front.draining = true;
		timer_set(shell->patience,
			  now ? 0 : shell->front.settings->http_drain_delay);
	} else if (now && !shell->closing) {
		timer_set(shell->patience, 0);
	}
}

static void
on_drain(struct shell *shell, const char *text)
{
	shell->kept = shell->kept || strcmp(text, " kept") == 0;
	drain(shell, strcmp(text, " now") == 0);
}

static void
on_line(void *context, const char *line)
{
	static const struct {
		const char *word;
		void (*fn)(struct shell *shell, const char *rest);
	} lines[] = { { "dead ", on_dead },
		      { "pool ", on_pool },
		      { "drain", on_drain } };

	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
		size_t len = strlen(lines[i].word);

		if (strncmp(line, lines[i].word, len) == 0) {
			lines[i].fn(context, line + len);
			return;
		}
	}
}

static void
on_parent_gone(void *context)
{
	struct shell *shell = context;

	loop_stop(shell->front.loop);
}

static void
on_idle(void *context)
{
	struct shell *shell = context;

	loop_stop(shell->front.loop);
}

/* Nothing more is taken on; the listener calls on_idle when all is answered. */
static void
on_patience(void *context)
{
	struct shell *shell = context;

	shell->closing = true;
	listener_drain(shell->front.listener, !shell->kept, on_idle, shell);
}

/* Of a person's: the parent is not asked, and starts another front on its sockets. */
static void
on_term(void *context)
{
	struct shell *shell = context;

	shell->kept = true;
	drain(shell, false);
}

static void
on_hup(void *context)
{
	struct shell *shell = context;
	char *report = NULL;
	struct settings *fresh = settings_load(shell->front.settings->file, &report);
	enum log_level level;

	if (fresh == NULL) {
		log_warn("settings.refused", F_STR("why", report));
	} else {
		if (log_level_parse(fresh->log_level, &level))
			log_set_level(level);
		catalog_know_secrets(shell->front.catalog, &fresh->secrets);
		settings_free(&fresh);
	}
	free(report);
	discovery_scan(shell->front.discovery);
}

/* ---- the node's row ---- */

/* Said again by whoever follows us, should we die before it is noted as followed. */
static void
follow(struct shell *shell, int workers)
{
	log_info("pool.wished", F_INT("workers", workers));
	parent_say(shell->front.parent, "scale %d", workers);
	shell->followed = workers;
	timer_set(shell->beat, 0);
}

/* On failure readiness tells that PostgreSQL is away. */
static void
on_beaten(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct shell *shell = context;
	struct json *nodes = NULL;
	struct err none = { 0 };
	const char *text;
	size_t len;

	(void)err;
	if (rows == NULL || pg_count(rows) == 0)
		return;
	text = pg_text(rows, 0, 1, &len);
	if (json_parse(text, len, &nodes, &none) == 0) {
		json_unref(&shell->front.nodes);
		shell->front.nodes = nodes;
	}
	shell->followed = -1;
	if (!pg_is_null(rows, 0, 0) && shell->front.parent != NULL)
		follow(shell, (int)pg_int(rows, 0, 0));
}

static const char *
node_status(const struct front *front)
{
	if (front->parent == NULL)
		return "alone";
	return front->draining ? "draining" : "ready";
}

static void
on_beat(void *context)
{
	struct shell *shell = context;
	struct front *front = &shell->front;
	char host[256] = "";

	gethostname(host, sizeof host - 1);
	if (pg_is_up(front->write)) {
		graves_again(shell->graves);
		nodes_beat(front->write, &front->node, host, (int)getpid(),
			   STEPMILL_VERSION,
			   (int)json_int(json_get(front->pool, "desired")),
			   (int)json_count(json_get(front->pool, "workers")),
			   node_status(front), shell->followed, on_beaten, shell);
	}
	timer_set(shell->beat, BEAT);
}

/* ---- building ---- */

bool
front_reaches_postgresql(const struct front *front)
{
	return pg_is_up(front->read) && pg_is_up(front->write) &&
	       changes_are_up(front->changes);
}

/* Who comes while PostgreSQL is being reached waits in the kernel's queue: a proxy that
 * sends a POST and hears 503 will not send it again. */
static void
on_opening(void *context)
{
	struct shell *shell = context;

	if ((front_reaches_postgresql(&shell->front) &&
	     own_workflows_are_there(shell->front.own_workflows)) ||
	    loop_mono(shell->front.loop) >= shell->open_at_last)
		listener_open(shell->front.listener);
	else
		timer_set(shell->opening, OPEN_LOOK);
}

static void
on_write_state(void *context, bool up)
{
	struct shell *shell = context;

	if (!up)
		return;
	on_beat(shell);
	if (shell->front.discovery != NULL &&
	    !discovery_is_done(shell->front.discovery))
		discovery_scan(shell->front.discovery);
}

/* ---- what PostgreSQL tells ---- */

static const char *const listened[] = { "listen_alerts", "listen_pool", NULL };

static void
on_notify(void *context, const char *channel, const char *payload)
{
	struct shell *shell = context;

	char node[UUID_TEXT];

	if (strcmp(channel, "stepmill_pool") == 0 &&
	    strcmp(payload, uuid_format(&shell->front.node, node)) == 0)
		timer_set(shell->beat, 0);
	if (strcmp(channel, "stepmill_alerts") == 0 && shell->front.ws != NULL)
		ws_alerts_notified(shell->front.ws, payload);
}

static void
on_read_state(void *context, bool up)
{
	struct shell *shell = context;

	if (shell->front.ws != NULL)
		ws_alerts_state(shell->front.ws, up);
}

static int
open_doors(struct shell *shell, struct err *err)
{
	struct front *front = &shell->front;
	const struct settings *settings = front->settings;
	struct queue_conf queue = { settings->redis_url, settings->redis_prefix };
	struct pg_conf pg = {
		.url = settings->database_url,
		.application = "stepmill front",
		.statement_timeout = settings->database_statement_timeout,
		.on_state = on_write_state,
		.context = shell,
	};

	front->write = pg_new(front->loop, &pg, err);
	pg.on_state = on_read_state;
	pg.listen = listened;
	pg.on_notify = on_notify;
	pg.application = "stepmill front reads";
	front->read = front->write ? pg_new(front->loop, &pg, err) : NULL;
	pg.on_state = NULL;
	pg.listen = NULL;
	pg.on_notify = NULL;
	pg.application = "stepmill front figures";
	front->figures = front->read ? pg_new(front->loop, &pg, err) : NULL;
	front->queue = front->figures ? queue_new(front->loop, &queue, err) : NULL;
	return front->queue ? 0 : -1;
}

static int
build(struct shell *shell, const int *listen_fds, size_t count, struct err *err)
{
	const struct listen_conf listen = { .fds = listen_fds,
					    .fds_count = count,
					    .tables = routes_all,
					    .shut = true };
	struct front *front = &shell->front;
	const char *node = getenv("STEPMILL_NODE");

	front->loop = loop_new(err);
	if (front->loop == NULL)
		return -1;
	if (node == NULL || !uuid_parse(node, strlen(node), &front->node))
		front->node = uuid7_new(loop_now(front->loop));
	shell->beat = timer_new(front->loop, on_beat, shell);
	shell->opening = timer_new(front->loop, on_opening, shell);
	shell->patience = timer_new(front->loop, on_patience, shell);
	if (open_doors(shell, err) < 0)
		return -1;
	shell->graves = graves_new(front->write, front->queue);
	front->catalog =
	    catalog_new(front->loop, front->read, front->settings->mcp.names);
	catalog_know_secrets(front->catalog, &front->settings->secrets);
	front->run_files = run_files_new(front->loop);
	front->records = records_new(front->read);
	front->inserts = inserts_new(front->loop, front->write, front->queue);
	front->admits = admits_new(front->write, front->queue);
	front->feed = feed_new(front, err);
	if (front->feed == NULL)
		return -1;
	front->changes = changes_new(front, CHANGES_LANES, err);
	if (front->changes == NULL)
		return -1;
	front->long_changes = changes_new(front, 1, err);
	if (front->long_changes == NULL)
		return -1;
	front->auth = auth_new(front);
	front->ws = ws_new(front);
	front->rates = rates_new(front->loop, front->settings);
	front->listener = listener_new(front, &listen, err);
	if (front->listener == NULL)
		return -1;
	shell->open_at_last = loop_mono(front->loop) + OPEN_PATIENCE;
	timer_set(shell->opening, 0);
	front->own_workflows = own_workflows_new(front);
	front->discovery = discovery_new(front);
	front->parent = parent_new(front->loop, on_line, on_parent_gone, shell);
	shell->term = signal_watch_new(front->loop, SIGTERM, on_term, shell);
	shell->hup = signal_watch_new(front->loop, SIGHUP, on_hup, shell);
	return 0;
}

static void
take_down(struct shell *shell)
{
	struct front *front = &shell->front;

	signal_watch_free(&shell->term);
	signal_watch_free(&shell->hup);
	parent_free(&front->parent);
	discovery_free(&front->discovery);
	own_workflows_free(&front->own_workflows);
	listener_free(&front->listener);
	ws_free(&front->ws);
	auth_free(&front->auth);
	rates_free(&front->rates);
	feed_free(&front->feed);
	inserts_free(&front->inserts);
	admits_free(&front->admits);
	changes_free(&front->changes);
	changes_free(&front->long_changes);
	catalog_free(&front->catalog);
	run_files_free(&front->run_files);
	records_free(&front->records);
	queue_free(&front->queue);
	pg_free(&front->figures);
	pg_free(&front->read);
	pg_free(&front->write);
	graves_free(&shell->graves);
	timer_free(&shell->beat);
	timer_free(&shell->opening);
	timer_free(&shell->patience);
	json_unref(&front->pool);
	json_unref(&front->nodes);
	loop_free(&front->loop);
}

int
front_main(const struct settings *settings, const int *listen_fds, size_t count)
{
	struct shell shell = { .front.settings = settings, .followed = -1 };
	struct err err = { 0 };
	int status = EXIT_TRY_AGAIN;

	if (build(&shell, listen_fds, count, &err) == 0) {
		log_info("front.ready", F_STR("listen", settings->http_listen));
		parent_say(shell.front.parent, "ready");
		loop_run(shell.front.loop); /* until drained, or the parent is gone */
		status = EXIT_SUCCESS;
	} else {
		log_error("front.stopped", F_STR("why", err.text));
	}
	take_down(&shell);
	return status;
}

void
front_print_routes(void)
{
	routes_print();
}

void
front_print_messages(void)
{
	ws_messages_print();
}
