/* PostgreSQL, Redis, and the supervisor that serves this place. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/xalloc.h"
#include "doctor/doctor.h"
#include "queue/queue.h"
#include "server.h"
#include "store/migrate.h"

/* Connections to PostgreSQL. */
#define FRONT            8
#define SCHEDULER        7
#define REDIS_PATIENCE   (3 * USEC_SECOND)
#define REDIS_LOOK       (10 * USEC_MS)
#define CLOCK_DIFFERENCE (2 * USEC_SECOND)

/* ---- PostgreSQL ---- */

struct facts {
	char version[64];
	int connections_max, reserved, open;
	bool durable, standby, known;
	usec_t time;
};

static void
on_facts(void *context, const struct pg_rows *rows)
{
	struct facts *facts = context;
	size_t len;
	const char *version = pg_text(rows, 0, 0, &len);

	snprintf(facts->version, sizeof facts->version, "%.*s", (int)len, version);
	facts->connections_max = (int)pg_int(rows, 0, 1);
	facts->reserved = (int)pg_int(rows, 0, 2);
	facts->open = (int)pg_int(rows, 0, 3);
	facts->durable = pg_bool(rows, 0, 4);
	facts->standby = pg_bool(rows, 0, 5);
	facts->time = pg_time(rows, 0, 6);
	facts->known = true;
}

static void
check_connections(struct doctor *doctor, const struct facts *facts)
{
	int workers = (int)doctor->install->settings->pool_workers;
	int need = 2 * workers + FRONT + SCHEDULER;
	bool enough = facts->connections_max - facts->reserved >= need;

	doctor_add(doctor, "connections", enough ? FINDING_OK : FINDING_FAIL,
		   enough
		       ? NULL
		       : "raise max_connections, or have fewer workers (pool.workers)",
		   "a supervisor with %d workers and a scheduler need %d; "
		   "max_connections is %d, %d of them reserved, %d open now",
		   workers, need, facts->connections_max, facts->reserved, facts->open);
}

static void
check_facts(struct doctor *doctor, const struct facts *facts)
{
	struct timespec now;
	usec_t apart;

	clock_gettime(CLOCK_REALTIME, &now);
	apart = (usec_t)now.tv_sec * USEC_SECOND + now.tv_nsec / 1000 - facts->time;
	doctor_add(doctor, "postgresql", facts->standby ? FINDING_FAIL : FINDING_OK,
		   facts->standby ? "name the primary server" : NULL, "%s%s",
		   facts->version, facts->standby ? ", a standby: read only" : "");
	if (!facts->durable)
		doctor_add(doctor, "durability", FINDING_WARN,
			   "set fsync and synchronous_commit to on",
			   "fsync or synchronous_commit is off: what was accepted can "
			   "be lost");
	if (apart > CLOCK_DIFFERENCE || apart < -CLOCK_DIFFERENCE)
		doctor_add(doctor, "clock", FINDING_WARN, "run an NTP client on both",
			   "this host's clock and PostgreSQL's are %lld ms apart",
			   (long long)(apart / USEC_MS));
	check_connections(doctor, facts);
}

static void
check_schema(struct doctor *doctor, const struct migration_state *state)
{
	if (state->applied > state->known || state->changed)
		doctor_add(doctor, "schema", FINDING_FAIL, "use that stepmill here too",
			   "the database (at %d) was migrated by another build; this "
			   "one knows %d",
			   state->applied, state->known);
	else if (state->applied < state->known)
		doctor_add(doctor, "schema", FINDING_FAIL, "stepmill migrate",
			   "the database is at %d, this program needs %d",
			   state->applied, state->known);
	else
		doctor_add(doctor, "schema", FINDING_OK, NULL, "at migration %d",
			   state->applied);
}

static void
ask_facts(const char *url, struct facts *facts, struct err *err)
{
	struct database *database = database_connect(url, err);

	if (database != NULL)
		database_run(database, "server_facts", NULL, on_facts, facts, err);
	database_close(&database);
}

void
doctor_postgres(struct doctor *doctor)
{
	const char *url = doctor->install->database_url;
	struct migration_state state;
	struct facts facts = { 0 };
	struct err err = { 0 };

	if (url == NULL) {
		doctor_add(doctor, "postgresql", FINDING_FAIL,
			   "stepmill dev starts a private one; or set DATABASE_URL or "
			   "database.url",
			   "nobody says which database");
		return;
	}
	if (migrate_status(url, &state, &err) == 0)
		ask_facts(url, &facts, &err);
	if (!facts.known) {
		doctor_add(doctor, "postgresql", FINDING_FAIL,
			   "start it, or correct database.url", "%s", err.text);
		return;
	}
	check_facts(doctor, &facts);
	check_schema(doctor, &state);
}

/* ---- Redis ---- */

struct knocking {
	struct loop *loop;
	struct queue *queue;
	struct timer *timer;
	int looks;
};

static void
on_look(void *context)
{
	struct knocking *knocking = context;

	if (queue_is_up(knocking->queue) ||
	    ++knocking->looks > REDIS_PATIENCE / REDIS_LOOK)
		loop_stop(knocking->loop);
	else
		timer_set(knocking->timer, REDIS_LOOK);
}

static bool
redis_answers(const struct install *install, struct err *err)
{
	struct queue_conf conf = { .url = install->redis_url,
				   .prefix = install->settings->redis_prefix };
	struct knocking knocking = { .loop = loop_new(err) };
	bool up = false;

	if (knocking.loop == NULL)
		return false;
	knocking.timer = timer_new(knocking.loop, on_look, &knocking);
	knocking.queue = queue_new(knocking.loop, &conf, err);
	if (knocking.queue != NULL) {
		timer_set(knocking.timer, REDIS_LOOK);
		loop_run(knocking.loop);
		up = queue_is_up(knocking.queue);
	}
	queue_free(&knocking.queue);
	timer_free(&knocking.timer);
	loop_free(&knocking.loop);
	return up;
}

void
doctor_redis(struct doctor *doctor)
{
	struct err err = { 0 };

	if (doctor->install->redis_url == NULL)
		doctor_add(doctor, "redis", FINDING_WARN,
			   "stepmill dev starts a private one; or set REDIS_URL or "
			   "redis.url",
			   "nobody says which Redis: workers then ask PostgreSQL twice "
			   "a second");
	else if (redis_answers(doctor->install, &err))
		doctor_add(doctor, "redis", FINDING_OK, NULL, "answers");
	else
		doctor_add(doctor, "redis", FINDING_WARN,
			   "start it, or correct redis.url",
			   "%s: nothing is lost, but workers ask PostgreSQL twice a "
			   "second",
			   err.kind != ERR_NONE ? err.text : "does not answer");
}

/* ---- the supervisor ---- */

void
doctor_server(struct doctor *doctor)
{
	struct question question = { .method = "GET", .path = "/readyz" };
	struct server *server;
	struct answer answer;
	int status;
	char *url = server_find(doctor->args);

	if (url == NULL) {
		doctor_add(doctor, "supervisor", FINDING_WARN,
			   "stepmill dev, or STEPMILL_URL for one elsewhere",
			   "no stepmill dev runs here, and nobody names another");
		return;
	}
	server = server_open(doctor->command, doctor->args, &status);
	if (server == NULL) {
		free(url);
		return;
	}
	status = server_ask(server, &question, &answer);
	if (status == CLI_OK)
		doctor_add(doctor, "supervisor", FINDING_OK, NULL, "%s is ready", url);
	else if (answer.status != 0)
		doctor_add(doctor, "supervisor", FINDING_FAIL,
			   "look at its log; it may be draining",
			   "%s is not ready: HTTP %d", url, answer.status);
	else
		doctor_add(doctor, "supervisor", FINDING_FAIL,
			   "start it, or correct STEPMILL_URL", "%s does not answer",
			   url);
	answer_fini(&answer);
	server_close(&server);
	free(url);
}
