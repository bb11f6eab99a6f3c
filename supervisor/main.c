/*
 * stepmill-supervisor: one binary, two roles. The parent (pool/) opens the sockets and
 * keeps the children; with --front it is one of those children (front/) and serves
 * clients. Only this file knows both.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/uuid7.h"
#include "base/xalloc.h"
#include "conf/settings.h"
#include "front/front_main.h"
#include "loop/parent.h"
#include "pool/pool.h"

#define FRONT_SOCKETS_MOST    32
#define FORMER_FRONT_ASKED    (20 * USEC_MS)
#define FORMER_FRONT_PATIENCE USEC_SECOND

struct choices {
	const char *config;
	bool check, dump, help, version, front, routes, messages;
};

static const char usage[] =
    "usage: stepmill-supervisor [--config FILE] [--check] [--dump-config]\n"
    "\n"
    "Opens the listening sockets and keeps one front (HTTP) and the workers alive.\n"
    "\n"
    "  --config FILE  the configuration; else $STEPMILL_CONFIG, else ./stepmill.yaml\n"
    "  --check        read the configuration, say what is wrong with it, and exit\n"
    "  --dump-config  print the configuration that is in force, and exit\n"
    "  --routes       print what the HTTP API answers: method, path, role, and what "
    "it\n"
    "                 changes, and exit\n"
    "  --messages     print what clients may send over WebSocket: type, role, and "
    "fields,\n"
    "                 and exit\n"
    "  --help         print this, and exit\n"
    "  --version      print the version, and exit\n"
    "\n"
    "Signals: TERM drains (twice: hands unfinished steps back), QUIT ends at once,\n"
    "HUP reads the configuration again, TTIN and TTOU are one worker more or fewer.\n";

/* -1: something is not understood, and that was said. */
static int
read_choices(int argc, char **argv, struct choices *choices)
{
	const struct {
		const char *name;
		bool *flag;
	} flags[] = {
		{ "--check", &choices->check },
		{ "--dump-config", &choices->dump },
		{ "--help", &choices->help },
		{ "-h", &choices->help },
		{ "--version", &choices->version },
		{ "--front", &choices->front },
		{ "--routes", &choices->routes },
		{ "--messages", &choices->messages },
	};
	size_t count = sizeof flags / sizeof flags[0], j;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--config") == 0 && i + 1 < argc) {
			choices->config = argv[++i];
			continue;
		}
		for (j = 0; j < count && strcmp(argv[i], flags[j].name) != 0; j++)
			;
		if (j == count) {
			fprintf(stderr, "stepmill-supervisor: %s is not understood\n%s",
				argv[i], usage);
			return -1;
		}
		*flags[j].flag = true;
	}
	return 0;
}

static void
set_log(const char *program, const struct settings *settings)
{
	enum log_level level = LOG_INFO;
	bool text = strcmp(settings->log_format, "text") == 0;

	log_level_parse(settings->log_level, &level);
	log_open(program, level, text ? LOG_TEXT : LOG_JSON);
}

/* ---- the front ---- */

/* The sockets that the parent left us: "4,5". Returns how many, -1 for nonsense. */
static int
inherited_sockets(int fds[static FRONT_SOCKETS_MOST])
{
	const char *at = getenv("STEPMILL_LISTEN_FDS");
	char *next;
	int count = 0;

	while (at != NULL && *at != '\0') {
		long fd = strtol(at, &next, 10);

		if (next == at || fd <= PARENT_FD || fd > INT_MAX ||
		    count == FRONT_SOCKETS_MOST || fcntl((int)fd, F_GETFD) < 0)
			return -1;
		fcntl((int)fd, F_SETFD, FD_CLOEXEC);
		fds[count++] = (int)fd;
		at = *next == ',' ? next + 1 : next;
	}
	return count;
}

static int
run_front(const struct settings *settings)
{
	int fds[FRONT_SOCKETS_MOST];
	int count = inherited_sockets(fds);

	set_log("front", settings);
	if (count <= 0) {
		fputs("stepmill-supervisor: --front is for the supervisor itself\n",
		      stderr);
		return EXIT_CONFIG;
	}
	return front_main(settings, fds, (size_t)count);
}

/* ---- the parent ---- */

static struct pool_wish
wish_of(const struct settings *settings)
{
	return (struct pool_wish){ .workers = (int)settings->pool_workers,
				   .workers_most = (int)settings->pool_workers_max,
				   .drain_timeout = settings->pool_drain_timeout };
}

/* SIGHUP. The file is the one of the start: children find it by the same variable. */
static int
reload(void *context, struct pool_wish *wish)
{
	char *report = NULL;
	struct settings *settings = settings_load(NULL, &report);

	(void)context;
	if (settings == NULL) {
		log_error("configuration.refused", F_STR("why", report));
		free(report);
		return -1;
	}
	set_log("supervisor", settings);
	*wish = wish_of(settings);
	settings_free(&settings);
	return 0;
}

/* The folder of this binary and a name in it. After an upgrade in place the link says
 * that its file was deleted; the new one stands there. The caller's. */
static char *
program_beside(const char *name, struct err *err)
{
	static const char deleted[] = " (deleted)";
	char path[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", path, sizeof path - 1);
	char *slash;

	if (len < 0) {
		err_errno(err, "cannot find this program's folder");
		return NULL;
	}
	path[len] = '\0';
	if ((size_t)len > strlen(deleted) &&
	    strcmp(path + len - strlen(deleted), deleted) == 0)
		path[(size_t)len - strlen(deleted)] = '\0';
	slash = strrchr(path, '/');
	if (name == NULL || slash == NULL)
		return xstrdup(path);
	return xprintf("%.*s/%s", (int)(slash - path), path, name);
}

static int
run_pool(struct pool_conf *conf, struct err *err)
{
	struct loop *loop = loop_new(err);
	struct pool *pool = NULL;
	int status = EXIT_FAILURE;

	if (loop == NULL)
		goto out;
	pool = pool_new(loop, conf, err);
	if (pool == NULL)
		goto out;
	loop_run(loop); /* until all children are gone */
	status = pool_exit_code(pool);
out:
	pool_free(&pool);
	loop_free(&loop);
	return status;
}

/* One id for this host's row, over all lives of the front. */
static void
name_node(void)
{
	struct timespec now;
	struct uuid id;
	char text[UUID_TEXT];

	clock_gettime(CLOCK_REALTIME, &now);
	id = uuid7_new((usec_t)now.tv_sec * USEC_SECOND + now.tv_nsec / 1000);
	setenv("STEPMILL_NODE", uuid_format(&id, text), 0); /* one given stays */
}

/* Where another one listens: that may be the front of a parent killed a moment ago,
 * which is about to end. Nothing runs yet that could be held up. */
static struct sockets *
open_sockets(const char *listen, struct err *err)
{
	const struct timespec moment = { 0, FORMER_FRONT_ASKED * 1000 };
	struct sockets *sockets = sockets_open(listen, err);

	for (usec_t waited = 0; sockets == NULL && err->kind == ERR_CONFLICT &&
				waited < FORMER_FRONT_PATIENCE;
	     waited += FORMER_FRONT_ASKED) {
		nanosleep(&moment, NULL);
		*err = (struct err){ 0 };
		sockets = sockets_open(listen, err);
	}
	return sockets;
}

static int
run_parent(const struct settings *settings)
{
	struct err err = { 0 };
	char *self = NULL, *worker = NULL;
	const char *front_argv[] = { NULL, "--front", NULL };
	struct pool_conf conf = { .front_argv = front_argv, .reload = reload };
	int status = EXIT_FAILURE;

	set_log("supervisor", settings);
	if (settings_name_servers(settings, &err) < 0)
		goto out;
	self = program_beside(NULL, &err);
	worker = program_beside("stepmill-worker", &err);
	if (self == NULL || worker == NULL)
		goto out;
	name_node();
	front_argv[0] = self;
	conf.worker_path = worker;
	conf.wish = wish_of(settings);
	conf.sockets = open_sockets(settings->http_listen, &err);
	if (conf.sockets == NULL)
		goto out;
	status = run_pool(&conf, &err);
out:
	if (err.kind == ERR_INPUT)
		status = EXIT_CONFIG;
	if (err.kind != ERR_NONE)
		log_error("supervisor.stopped", F_STR("why", err.text));
	sockets_free(&conf.sockets);
	free(self);
	free(worker);
	return status;
}

/* ---- both ---- */

static void
dump(const struct settings *settings)
{
	char *text = option_dump(settings_table, settings);

	fputs(text, stdout);
	free(text);
}

/* Children find the file by this variable, from whatever folder. */
static int
hand_down(const char *config)
{
	char *path = realpath(config, NULL);

	if (path == NULL) {
		fprintf(stderr, "stepmill-supervisor: %s: %s\n", config,
			strerror(errno));
		return -1;
	}
	setenv("STEPMILL_CONFIG", path, 1);
	free(path);
	return 0;
}

int
main(int argc, char **argv)
{
	struct choices choices = { 0 };
	struct settings *settings;
	char *report = NULL;
	int status = EXIT_SUCCESS;

	if (read_choices(argc, argv, &choices) < 0)
		return EXIT_CONFIG;
	if (choices.help || choices.version) {
		fputs(choices.help ? usage
				   : "stepmill-supervisor " STEPMILL_VERSION "\n",
		      stdout);
		return EXIT_SUCCESS;
	}
	if (choices.routes)
		front_print_routes();
	if (choices.messages)
		front_print_messages();
	if (choices.routes || choices.messages)
		return EXIT_SUCCESS;
	if (choices.config != NULL && hand_down(choices.config) < 0)
		return EXIT_CONFIG;
	settings = settings_load(NULL, &report);
	if (settings == NULL) {
		fprintf(stderr, "%s\n", report);
		free(report);
		return EXIT_CONFIG;
	}
	if (choices.dump)
		dump(settings);
	else if (!choices.check)
		status = choices.front ? run_front(settings) : run_parent(settings);
	settings_free(&settings);
	return status;
}
