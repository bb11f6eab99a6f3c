/*
 * The order of `stepmill dev`: servers, migrations, supervisor, scheduler; then it
 * waits, starts again what dies, and takes everything down in reverse. Nothing of it
 * outlives a Ctrl-C.
 */
#include "dev/dev.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "clock.h"
#include "dev/former.h"
#include "dev/port.h"
#include "dev/restart_core.h"
#include "dev/servers.h"
#include "dev/state.h"
#include "loop/parent.h"
#include "store/migrate.h"

#define WORKERS_PRESET 2
#define READY_PATIENCE (30 * USEC_SECOND)
#define STOP_PATIENCE  (75 * USEC_SECOND) /* the supervisor drains for 60 s at most */
#define TICK           (5 * USEC_MS)
#define LOOK_EVERY     (1 * USEC_SECOND)
#define PORT_TRIES     5
#define PORT_PATIENCE  (10 * USEC_SECOND)

enum part { PART_POSTGRES, PART_REDIS, PART_SUPERVISOR, PART_SCHEDULER, PARTS };

/* A process and when it is to be started again. */
struct kept {
	struct process *process;
	struct restart restart;
	usec_t due; /* 0: it runs */
};

struct dev {
	const struct dev_options *options;
	struct place place;
	struct servers servers;
	struct process supervisor, scheduler;
	struct kept kept[PARTS];
	const char *supervisor_argv[4], *scheduler_argv[4];
	char *config, *log, *database_url, *redis_url, *supervisor_path,
	    *scheduler_path;
	struct dev_port port;
	int tell; /* of a detached dev: where the first one waits for news; -1 */
	usec_t started;
};

static void say(const struct dev *dev, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void
say(const struct dev *dev, const char *format, ...)
{
	va_list args;

	if (dev->options->json)
		return;
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	fflush(stdout);
}

/* ---- files ---- */

/* A path in quotes, whatever is in it: a JSON string is YAML too. */
static void
put_quoted(struct buf *out, const char *before, const char *value, const char *after)
{
	buf_str(out, before);
	json_write_string(value, strlen(value), out);
	buf_str(out, after);
}

static int
write_config(const struct dev *dev, struct err *err)
{
	struct buf out = { 0 };
	int result;

	buf_str(&out, "# Written by stepmill dev at each start; changes are lost.\n");
	put_quoted(&out, "database: { url: ", dev->database_url, " }\n");
	put_quoted(&out, "redis: { url: ", dev->redis_url, " }\n");
	put_quoted(&out, "project: { path: ", dev->place.project, " }\n");
	buf_printf(&out,
		   "http: { listen: \"127.0.0.1:%d\" }\n"
		   "auth: { required: false }\n"
		   "pool: { workers: %d }\n"
		   "log: { format: text }\n",
		   dev->port.number,
		   dev->options->workers > 0 ? dev->options->workers : WORKERS_PRESET);
	result = state_replace_file(dev->config, buf_text(&out), err);
	buf_fini(&out);
	return result;
}

static struct json *
dev_state(const struct dev *dev, bool ready)
{
	struct json *json = json_new_object();
	char url[64];

	snprintf(url, sizeof url, "http://127.0.0.1:%d", dev->port.number);
	if (ready)
		json_set(json, "url", json_new_str(url));
	json_set(json, "databaseUrl", json_new_str(dev->database_url));
	json_set(json, "redisUrl", json_new_str(dev->redis_url));
	json_set(json, "pid", json_new_int(getpid()));
	json_set(json, "supervisorPid", json_new_int(dev->supervisor.pid));
	json_set(json, "schedulerPid", json_new_int(dev->scheduler.pid));
	json_set(json, "postgresPid", json_new_int(dev->servers.postgres.pid));
	json_set(json, "redisPid", json_new_int(dev->servers.redis.pid));
	json_set(json, "project", json_new_str(dev->place.project));
	json_set(json, "data", json_new_str(dev->place.data));
	json_set(json, "logs", json_new_str(dev->place.logs));
	return json;
}

/* Without a URL until all is ready: so it is of use to the next start only. */
static int
write_state(const struct dev *dev, bool ready, struct err *err)
{
	return state_write(dev->place.data, dev->place.project, dev_state(dev, ready),
			   err);
}

/* ---- start ---- */

static void
on_migrated(void *context, const char *name)
{
	say(context, "  migrated  %s\n", name);
}

static void
fill_programs(struct dev *dev)
{
	const struct place *place = &dev->place;

	dev->config = xprintf("%s/stepmill.yaml", place->data);
	dev->log = xprintf("%s/stepmill.log", place->logs);
	dev->database_url = place_database_url(place);
	dev->redis_url = place_redis_url(place);
	dev->supervisor_path = xprintf("%s/stepmill-supervisor", place->programs);
	dev->scheduler_path = xprintf("%s/stepmill-scheduler", place->programs);
	dev->supervisor_argv[0] = dev->supervisor_path;
	dev->scheduler_argv[0] = dev->scheduler_path;
	dev->supervisor_argv[1] = dev->scheduler_argv[1] = "--config";
	dev->supervisor_argv[2] = dev->scheduler_argv[2] = dev->config;
	dev->supervisor = (struct process){
		.name = "stepmill-supervisor",
		.argv = dev->supervisor_argv,
		.log = dev->log,
		.end_signal = SIGTERM,
		.orphan_signal = SIGQUIT, /* PostgreSQL goes too: no use in draining */
	};
	dev->scheduler = (struct process){ .name = "stepmill-scheduler",
					   .argv = dev->scheduler_argv,
					   .log = dev->log,
					   .end_signal = SIGTERM };
	dev->kept[PART_POSTGRES].process = &dev->servers.postgres;
	dev->kept[PART_REDIS].process = &dev->servers.redis;
	dev->kept[PART_SUPERVISOR].process = &dev->supervisor;
	dev->kept[PART_SCHEDULER].process = &dev->scheduler;
}

/* Ctrl-C before all is ready; it stays pending. */
static bool
asked_to_end(void)
{
	sigset_t pending;

	sigpending(&pending);
	return sigismember(&pending, SIGINT) == 1 ||
	       sigismember(&pending, SIGTERM) == 1;
}

static int
wait_until_ready(struct dev *dev, struct err *err)
{
	usec_t until = clock_mono() + READY_PATIENCE;
	char text[64];
	int status;

	while (clock_mono() < until && !asked_to_end()) {
		if (port_is_ready(dev->port.number))
			return 0;
		for (int i = PART_SUPERVISOR; i < PARTS; i++)
			if (process_has_ended(dev->kept[i].process, &status))
				return err_set(
				    err, ERR_SYSTEM, "%s %s while starting; see %s",
				    dev->kept[i].process->name,
				    process_end_text(status, text, sizeof text),
				    dev->log);
		clock_pause(TICK);
	}
	if (asked_to_end())
		return err_set(err, ERR_SYSTEM, "ended before all was ready");
	return err_set(err, ERR_SYSTEM, "stepmill was not ready in time; see %s",
		       dev->log);
}

/* Somebody else may take the port between our look and the supervisor's: another one
 * then. */
static int
start_supervisor(struct dev *dev, struct err *err)
{
	for (int i = 0;; i++) {
		if (port_choose(&dev->port, dev->options->port, err) < 0 ||
		    write_config(dev, err) < 0 ||
		    process_start(&dev->supervisor, &dev->place, err) < 0 ||
		    write_state(dev, false, err) < 0)
			return -1;
		if (wait_until_ready(dev, err) == 0)
			return 0;
		if (i == PORT_TRIES || dev->options->port != 0 ||
		    dev->supervisor.pid != 0 || port_is_free(dev->port.number))
			return -1;
		err_clear(err);
	}
}

/* Programs started here take their settings from our file only, and reach our servers
 * only; what else somebody set (STEPMILL_WORKER_SLOTS) still counts. */
static void
clean_environment(void)
{
	static const char *const names[] = { "DATABASE_URL",
					     "REDIS_URL",
					     "PGHOST",
					     "PGHOSTADDR",
					     "PGPORT",
					     "PGDATABASE",
					     "PGUSER",
					     "PGPASSWORD",
					     "PGPASSFILE",
					     "PGSERVICE",
					     "PGSERVICEFILE",
					     "PGOPTIONS",
					     "PGSSLMODE",
					     "PGDATA",
					     "PGTZ",
					     "PGDATESTYLE",
					     "STEPMILL_CONFIG",
					     "STEPMILL_NODE",
					     "STEPMILL_PARENT",
					     "STEPMILL_DATABASE_URL",
					     "STEPMILL_REDIS_URL",
					     "STEPMILL_PROJECT_PATH",
					     "STEPMILL_HTTP_LISTEN",
					     "STEPMILL_AUTH_REQUIRED" };

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		unsetenv(names[i]);
	setenv("STEPMILL_DEVELOPMENT", "1", 1);
}

static int
start(struct dev *dev, struct err *err)
{
	say(dev, "stepmill dev: starting PostgreSQL and Redis under %s\n",
	    dev->place.data);
	former_wait(&dev->place);
	clean_environment();
	if (servers_start(&dev->servers, &dev->place, err) < 0 ||
	    write_state(dev, false, err) < 0 ||
	    migrate_apply(dev->database_url, dev->place.project, on_migrated, dev,
			  err) < 0 ||
	    write_config(dev, err) < 0 ||
	    process_start(&dev->scheduler, &dev->place, err) < 0 ||
	    start_supervisor(dev, err) < 0)
		return -1;
	for (int i = 0; i < PARTS; i++)
		restart_started(&dev->kept[i].restart, clock_mono());
	return write_state(dev, true, err);
}

static void
stop(struct dev *dev)
{
	process_stop(&dev->supervisor, STOP_PATIENCE);
	process_stop(&dev->scheduler, STOP_PATIENCE);
	servers_stop(&dev->servers);
	place_leave(&dev->place);
	state_remove(dev->place.data, dev->place.project);
}

static void
greet(const struct dev *dev)
{
	double seconds = (double)(clock_mono() - dev->started) / 1e6;
	struct json *json;
	char *text;

	if (dev->options->json) {
		json = dev_state(dev, true);
		text = json_text(json);
		printf("%s\n", text);
		free(text);
		json_unref(&json);
	}
	say(dev,
	    "\n  ready in %.1f s: http://127.0.0.1:%d\n\n"
	    "  workflows  %s/.agent/workflows/templates/*.yaml\n"
	    "  logs       %s\n"
	    "  try        stepmill workflows    stepmill run NAME    stepmill list\n"
	    "  stop       %s\n\n",
	    seconds, dev->port.number, dev->place.project, dev->log,
	    dev->tell >= 0 ? "stepmill dev --stop" : "Ctrl-C");
	fflush(stdout);
}

/* ---- until somebody says so ---- */

static int
start_again(struct dev *dev, enum part part, struct err *err)
{
	if (part == PART_POSTGRES)
		return servers_start_postgres(&dev->servers, &dev->place, err);
	if (part == PART_REDIS)
		return servers_start_redis(&dev->servers, &dev->place, err);
	return process_start(dev->kept[part].process, &dev->place, err);
}

/* false: there is no use in starting it again. */
static bool
on_ended(struct dev *dev, struct kept *kept, int status)
{
	bool wrong = WIFEXITED(status) && WEXITSTATUS(status) == EXIT_CONFIG;
	char text[64];

	fprintf(stderr, "stepmill dev: %s %s\n", kept->process->name,
		process_end_text(status, text, sizeof text));
	if (!wrong && restart_ended(&kept->restart, clock_mono(), &kept->due))
		return true;
	fprintf(stderr, "stepmill dev: taking everything down (logs: %s)\n",
		dev->place.logs);
	return false;
}

/* The front of a supervisor that was killed still listens for a moment. */
static bool
must_wait(const struct dev *dev, enum part part)
{
	const struct kept *kept = &dev->kept[part];

	return part == PART_SUPERVISOR && !port_is_free(dev->port.number) &&
	       clock_mono() - kept->due < PORT_PATIENCE;
}

static bool
look_after(struct dev *dev, enum part part)
{
	struct kept *kept = &dev->kept[part];
	struct err err = { 0 };
	int status;

	if (process_has_ended(kept->process, &status) && !on_ended(dev, kept, status))
		return false;
	if (kept->due == 0 || kept->due > clock_mono() || must_wait(dev, part))
		return true;
	kept->due = 0;
	restart_started(&kept->restart, clock_mono());
	if (start_again(dev, part, &err) < 0 || write_state(dev, true, &err) < 0) {
		fprintf(stderr, "stepmill dev: %s\n", err.text);
		return false;
	}
	fprintf(stderr, "stepmill dev: %s was started again\n", kept->process->name);
	return true;
}

static struct timespec
until_next(const struct dev *dev)
{
	usec_t now = clock_mono(), wait = LOOK_EVERY;

	for (int i = 0; i < PARTS; i++)
		if (dev->kept[i].due != 0 && dev->kept[i].due - now < wait)
			wait = dev->kept[i].due > now ? dev->kept[i].due - now : TICK;
	return (struct timespec){ .tv_sec = wait / USEC_SECOND,
				  .tv_nsec = (long)(wait % USEC_SECOND) * 1000 };
}

static int
wait_for_end(struct dev *dev, const sigset_t *signals)
{
	for (;;) {
		struct timespec wait = until_next(dev);
		int got = sigtimedwait(signals, NULL, &wait);

		if (got == SIGHUP && dev->tell >= 0)
			kill(dev->supervisor.pid, SIGHUP);
		else if (got > 0 && got != SIGCHLD)
			break;
		for (int i = 0; i < PARTS; i++)
			if (!look_after(dev, (enum part)i))
				return EXIT_FAILURE;
	}
	say(dev,
	    "\nstepmill dev: stopping once the steps in hand are done (again: at "
	    "once); "
	    "what is\nstored stays in %s\n",
	    dev->place.data);
	return EXIT_SUCCESS;
}

static void
block_signals(sigset_t *signals)
{
	static const int list[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGCHLD };

	sigemptyset(signals);
	for (size_t i = 0; i < sizeof list / sizeof *list; i++)
		sigaddset(signals, list[i]);
	sigprocmask(SIG_BLOCK, signals, NULL);
	signal(SIGCHLD, SIG_DFL); /* an ignored one would reap for us */
	signal(SIGPIPE, SIG_IGN);
}

/* Detached and ready: says so, and holds nothing of who started it. */
static void
leave_terminal(const struct dev *dev)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int log = open(dev->log, O_WRONLY | O_APPEND | O_CLOEXEC);

	dup2(null, 0);
	dup2(log >= 0 ? log : null, 1);
	dup2(log >= 0 ? log : null, 2);
	if (write(dev->tell, "", 1) < 0)
		return; /* who waited is gone; that is no reason to stop */
}

static int
serve(struct dev *dev)
{
	struct err err = { 0 };
	sigset_t signals;
	int status = EXIT_FAILURE;

	block_signals(&signals);
	fill_programs(dev);
	if (start(dev, &err) == 0) {
		greet(dev);
		if (dev->tell >= 0)
			leave_terminal(dev);
		status = wait_for_end(dev, &signals);
	} else {
		fprintf(stderr, "stepmill dev: %s\n", err.text);
	}
	stop(dev);
	return status;
}

/* ---- in the background, and its end ---- */

static int
detach(struct dev *dev)
{
	int news[2];
	char done;
	pid_t pid;

	fflush(stdout);
	if (pipe2(news, O_CLOEXEC) < 0 || (pid = fork()) < 0) {
		perror("stepmill dev");
		return EXIT_FAILURE;
	}
	if (pid == 0) {
		close(news[0]);
		setsid();
		dev->tell = news[1];
		exit(serve(dev));
	}
	close(news[1]);
	/* A byte: it is ready. End-of-file: it has said why not. */
	return read(news[0], &done, 1) == 1 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* The dev of a data folder holds its lock as long as it lives. */
static bool
wait_for_lock(int fd)
{
	usec_t until = clock_mono() + STOP_PATIENCE + READY_PATIENCE;

	while (clock_mono() < until) {
		if (flock(fd, LOCK_EX | LOCK_NB) == 0)
			return true;
		clock_pause(TICK);
	}
	return false;
}

static int
stop_other(const struct dev *dev)
{
	const struct dev_options *options = dev->options;
	bool named = options->data != NULL || options->project != NULL;
	char *data = named ? place_data(options->project, options->data) : NULL;
	struct json *state = named ? state_read(data) : state_find(".");
	const char *folder = json_str(json_get(state, "data"));
	char *lock = xprintf("%s/dev.lock", folder ? folder : "");
	pid_t pid = (pid_t)json_int(json_get(state, "pid"));
	int fd = folder != NULL ? open(lock, O_RDWR | O_CLOEXEC) : -1;
	int status = EXIT_FAILURE;

	if (folder == NULL || (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0))
		fprintf(stderr, "stepmill dev: none is running in %s\n",
			data ? data : "this folder or above");
	else if (fd < 0)
		fprintf(stderr, "stepmill dev: %s: %s\n", lock, strerror(errno));
	else if (kill(pid, SIGTERM) < 0)
		perror("stepmill dev");
	else if (!wait_for_lock(fd))
		fprintf(stderr, "stepmill dev: it does not end; its process is %d\n",
			(int)pid);
	else
		status = EXIT_SUCCESS;
	if (status == EXIT_SUCCESS)
		say(dev, "stepmill dev: stopped; what is stored stays in %s\n", folder);
	if (fd >= 0)
		close(fd);
	json_unref(&state);
	free(lock);
	free(data);
	return status;
}

static void
dev_fini(struct dev *dev)
{
	free(dev->config);
	free(dev->log);
	free(dev->database_url);
	free(dev->redis_url);
	free(dev->supervisor_path);
	free(dev->scheduler_path);
	port_fini(&dev->port);
	place_fini(&dev->place);
}

int
dev_run(const struct dev_options *options)
{
	struct dev dev = { .options = options,
			   .place.lock = -1,
			   .tell = -1,
			   .started = clock_mono() };
	struct err err = { 0 };
	int status = EXIT_FAILURE;

	if (options->stop)
		return stop_other(&dev);
	if (place_find(&dev.place, options->project, options->data, &err) < 0 ||
	    place_lock(&dev.place, &err) < 0)
		fprintf(stderr, "stepmill dev: %s\n", err.text);
	else
		status = options->detach ? detach(&dev) : serve(&dev);
	if (err.kind == ERR_CONFLICT)
		fputs("stepmill dev: end it by stepmill dev --stop\n", stderr);
	dev_fini(&dev);
	return status;
}
