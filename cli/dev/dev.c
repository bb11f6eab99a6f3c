/*
 * The order of `stepmill dev`: servers, migrations, supervisor, scheduler; then it
 * waits, and takes everything down in reverse. Nothing of it outlives a Ctrl-C.
 */
#include "dev/dev.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/xalloc.h"
#include "dev/servers.h"
#include "store/migrate.h"
#include "json/json.h"

#define PORT_PRESET    3456
#define PORTS_TRIED    50
#define READY_PATIENCE (30 * USEC_SECOND)
#define STOP_PATIENCE  (75 * USEC_SECOND) /* the supervisor drains for 60 s at most */
#define TICK           (5 * USEC_MS)
#define QUICK          (2 * USEC_SECOND) /* an end so soon after the start counts */
#define QUICK_ENDS_MAX 6
#define AGAIN          (50 * USEC_MS) /* doubled with each quick end */

struct dev {
	const struct dev_options *options;
	struct place place;
	struct servers servers;
	struct process supervisor, scheduler;
	const char *supervisor_argv[4], *scheduler_argv[4];
	char *config, *log, *database_url, *redis_url, *supervisor_path,
	    *scheduler_path;
	int port;
	int tell; /* of a detached dev: where the first one waits for news; -1 */
	usec_t started;
};

static usec_t
clock_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (usec_t)ts.tv_sec * USEC_SECOND + ts.tv_nsec / 1000;
}

static void
pause_a_little(void)
{
	const struct timespec tick = { .tv_nsec = TICK * 1000 };

	nanosleep(&tick, NULL);
}

/* ---- the port ---- */

static int
try_port(int port)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = htons((uint16_t)port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int one = 1, result;

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	result = bind(fd, (struct sockaddr *)&address, sizeof address);
	close(fd);
	return result;
}

static int
choose_port(struct dev *dev, struct err *err)
{
	if (dev->options->port != 0) {
		dev->port = dev->options->port;
		if (try_port(dev->port) < 0)
			return err_errno(err, "port %d", dev->port);
		return 0;
	}
	for (dev->port = PORT_PRESET; dev->port < PORT_PRESET + PORTS_TRIED;
	     dev->port++)
		if (try_port(dev->port) == 0)
			return 0;
	return err_set(err, ERR_CONFLICT,
		       "ports %d to %d are taken; choose one by --port", PORT_PRESET,
		       PORT_PRESET + PORTS_TRIED - 1);
}

/* The status of GET /readyz; 0: no answer. */
static int
ask_ready(int port)
{
	static const char request[] = "GET /readyz HTTP/1.1\r\nHost: localhost\r\n"
				      "Connection: close\r\n\r\n";
	const struct timeval patience = { .tv_sec = 2 };
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = htons((uint16_t)port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char answer[64] = "";
	int status = 0;

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0 &&
	    send(fd, request, sizeof request - 1, MSG_NOSIGNAL) > 0 &&
	    recv(fd, answer, sizeof answer - 1, 0) > 12)
		status = atoi(answer + 9);
	close(fd);
	return status;
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

static void
fill_config(const struct dev *dev, struct buf *out)
{
	buf_str(out, "# Written by stepmill dev at each start; changes are lost.\n");
	put_quoted(out, "database: { url: ", dev->database_url, " }\n");
	put_quoted(out, "redis: { url: ", dev->redis_url, " }\n");
	put_quoted(out, "project: { path: ", dev->place.project, " }\n");
	buf_printf(out,
		   "http: { listen: \"127.0.0.1:%d\" }\n"
		   "auth: { required: false }\n"
		   "pool: { workers: %d }\n"
		   "log: { format: text }\n",
		   dev->port, dev->options->workers > 0 ? dev->options->workers : 2);
}

/* The old file or the new one, never half of it. */
static int
replace_file(const char *path, const char *text, struct err *err)
{
	char *part = xprintf("%s.new", path);
	FILE *file = fopen(part, "w");

	if (file == NULL || fputs(text, file) < 0 || fclose(file) != 0 ||
	    rename(part, path) < 0)
		err_errno(err, "%s", path);
	free(part);
	return err->kind == ERR_NONE ? 0 : -1;
}

static int
write_config(struct dev *dev, struct err *err)
{
	struct buf text = { 0 };
	int result;

	fill_config(dev, &text);
	result = replace_file(dev->config, buf_text(&text), err);
	buf_fini(&text);
	return result;
}

static int
write_state(struct dev *dev, struct err *err)
{
	struct json *json = json_new_object();
	char *path = xprintf("%s/dev.json", dev->place.data);
	char *url = xprintf("http://127.0.0.1:%d", dev->port);
	char *text;

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
	text = json_text(json);
	replace_file(path, text, err);
	json_unref(&json);
	free(text);
	free(path);
	free(url);
	return err->kind == ERR_NONE ? 0 : -1;
}

static void
remove_state(const struct dev *dev)
{
	char *path = xprintf("%s/dev.json", dev->place.data);

	unlink(path);
	free(path);
}

static struct json *
read_state(const char *data)
{
	char *path = xprintf("%s/dev.json", data);
	FILE *file = fopen(path, "r");
	char text[8192];
	size_t len = file != NULL ? fread(text, 1, sizeof text, file) : 0;
	struct json *state = NULL;
	struct err err = { 0 };

	if (file != NULL)
		fclose(file);
	free(path);
	if (len > 0 && json_parse(text, len, &state, &err) < 0)
		return NULL;
	/* left over from one that was killed? */
	if (state != NULL && kill((pid_t)json_int(json_get(state, "pid")), 0) < 0 &&
	    errno == ESRCH)
		json_unref(&state);
	return state;
}

struct json *
dev_find(const char *folder)
{
	char *here = realpath(folder, NULL);
	struct json *state = NULL;

	while (here != NULL && state == NULL) {
		char *data = xprintf("%s/.stepmill", here);
		char *slash = strrchr(here, '/');

		state = read_state(data);
		free(data);
		if (slash == here || slash == NULL)
			break;
		*slash = '\0';
	}
	free(here);
	return state;
}

/* ---- start ---- */

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
	dev->supervisor = (struct process){ .name = "stepmill-supervisor",
					    .argv = dev->supervisor_argv,
					    .log = dev->log,
					    .end_signal = SIGTERM };
	dev->scheduler = dev->supervisor;
	dev->scheduler.name = "stepmill-scheduler";
	dev->scheduler.argv = dev->scheduler_argv;
}

static int
wait_until_ready(struct dev *dev, struct err *err)
{
	usec_t until = clock_now() + READY_PATIENCE;
	int status;

	while (clock_now() < until) {
		if (ask_ready(dev->port) == 200)
			return 0;
		if (process_has_ended(&dev->supervisor, &status) ||
		    process_has_ended(&dev->scheduler, &status))
			return err_set(
			    err, ERR_SYSTEM,
			    "a process of stepmill ended while starting; see %s",
			    dev->log);
		pause_a_little();
	}
	return err_set(err, ERR_SYSTEM, "stepmill was not ready in time; see %s",
		       dev->log);
}

static int
start(struct dev *dev, struct err *err)
{
	say(dev, "stepmill dev: starting PostgreSQL and Redis under %s\n",
	    dev->place.data);
	if (servers_start(&dev->servers, &dev->place, err) < 0 ||
	    migrate_apply(dev->database_url, dev->place.project, on_migrated, dev,
			  err) < 0 ||
	    choose_port(dev, err) < 0 || write_config(dev, err) < 0)
		return -1;
	/* Programs started below take their settings from the file only. */
	unsetenv("DATABASE_URL");
	unsetenv("REDIS_URL");
	setenv("STEPMILL_DEVELOPMENT", "1", 1);
	if (process_start(&dev->supervisor, &dev->place, err) < 0 ||
	    process_start(&dev->scheduler, &dev->place, err) < 0 ||
	    wait_until_ready(dev, err) < 0)
		return -1;
	return write_state(dev, err);
}

static void
stop(struct dev *dev)
{
	process_stop(&dev->supervisor, STOP_PATIENCE);
	process_stop(&dev->scheduler, STOP_PATIENCE);
	servers_stop(&dev->servers);
	remove_state(dev);
}

static void
greet(const struct dev *dev)
{
	double seconds = (double)(clock_now() - dev->started) / 1e6;
	struct json *json;
	char *text;

	if (dev->options->json) {
		json = read_state(dev->place.data);
		text = json_text(json);
		printf("%s\n", text);
		fflush(stdout);
		free(text);
		json_unref(&json);
		return;
	}
	printf(
	    "\n  ready in %.1f s: http://127.0.0.1:%d\n\n"
	    "  workflows  %s/.agent/workflows/templates/*.yaml\n"
	    "  logs       %s\n"
	    "  try        stepmill workflows    stepmill run NAME    stepmill list\n",
	    seconds, dev->port, dev->place.project, dev->log);
	puts(dev->tell >= 0 ? "  stop       stepmill dev --stop\n"
			    : "  stop       Ctrl-C\n");
	fflush(stdout);
}

/* ---- until somebody says so ---- */

/* What ended by itself is started again, later each time: dev is its own service
 * manager. -1: it ends again and again. */
static int
revive(struct dev *dev, struct process *process)
{
	usec_t now = clock_now();
	struct err err = { 0 };
	int status;

	if (process_has_ended(process, &status)) {
		process->quick_ends =
		    now - process->started_at < QUICK ? process->quick_ends + 1 : 0;
		if (process->quick_ends > QUICK_ENDS_MAX)
			return -1;
		process->again_at = now + (AGAIN << process->quick_ends);
		fprintf(stderr, "stepmill dev: %s ended (%s %d); starting it again\n",
			process->name, WIFSIGNALED(status) ? "signal" : "status",
			WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	}
	if (process->again_at == 0 || now < process->again_at)
		return 0;
	process->again_at = 0;
	process->started_at = now;
	if (process_start(process, &dev->place, &err) < 0 || write_state(dev, &err) < 0)
		fprintf(stderr, "stepmill dev: %s\n", err.text);
	return 0;
}

/* The process that cannot be kept alive, or NULL. *due: a start waits for its time. */
static const struct process *
revive_all(struct dev *dev, bool *due)
{
	struct process *all[] = { &dev->servers.postgres, &dev->servers.redis,
				  &dev->supervisor, &dev->scheduler };

	*due = false;
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		if (revive(dev, all[i]) < 0)
			return all[i];
		*due |= all[i]->again_at != 0;
	}
	return NULL;
}

static int
wait_for_end(struct dev *dev, const sigset_t *signals)
{
	const struct timespec tick = { .tv_nsec = 20000000 };
	const struct process *lost;
	bool due = false;
	int got;

	for (;;) {
		got = sigtimedwait(signals, NULL, due ? &tick : NULL);
		if (got == SIGHUP && dev->tell >= 0)
			kill(dev->supervisor.pid, SIGHUP);
		else if (got > 0 && got != SIGCHLD)
			break;
		lost = revive_all(dev, &due);
		if (lost != NULL) {
			fprintf(
			    stderr,
			    "stepmill dev: %s does not stay up; taking everything down "
			    "(see %s)\n",
			    lost->name, lost->log);
			return EXIT_FAILURE;
		}
	}
	say(dev, "\nstepmill dev: stopping; what is stored stays in %s\n",
	    dev->place.data);
	return EXIT_SUCCESS;
}

static void
block_signals(sigset_t *signals)
{
	sigemptyset(signals);
	sigaddset(signals, SIGINT);
	sigaddset(signals, SIGTERM);
	sigaddset(signals, SIGHUP);
	sigaddset(signals, SIGQUIT);
	sigaddset(signals, SIGCHLD);
	sigprocmask(SIG_BLOCK, signals, NULL);
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

	if (pipe2(news, O_CLOEXEC) < 0) {
		perror("stepmill dev");
		return EXIT_FAILURE;
	}
	pid = fork();
	if (pid == 0) {
		close(news[0]);
		setsid();
		dev->tell = news[1];
		exit(serve(dev));
	}
	close(news[1]);
	/* A byte: it is ready. End-of-file: it has said why not. */
	if (pid > 0 && read(news[0], &done, 1) == 1)
		return EXIT_SUCCESS;
	return EXIT_FAILURE;
}

/* The dev of a data folder holds its lock as long as it lives. */
static int
stop_other(struct dev *dev)
{
	char *lock = xprintf("%s/dev.lock", dev->place.data);
	struct json *state = read_state(dev->place.data);
	int fd = open(lock, O_RDWR | O_CLOEXEC);
	int status = EXIT_FAILURE;
	pid_t pid = (pid_t)json_int(json_get(state, "pid"));

	free(lock);
	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) == 0 || pid <= 0) {
		fprintf(stderr, "stepmill dev: none is running in %s\n",
			dev->place.data);
	} else if (kill(pid, SIGTERM) < 0) {
		perror("stepmill dev");
	} else {
		usec_t until = clock_now() + STOP_PATIENCE + READY_PATIENCE;

		while (flock(fd, LOCK_EX | LOCK_NB) < 0 && clock_now() < until)
			pause_a_little();
		status = EXIT_SUCCESS;
		say(dev, "stepmill dev: stopped; what is stored stays in %s\n",
		    dev->place.data);
	}
	if (fd >= 0)
		close(fd);
	json_unref(&state);
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
	place_fini(&dev->place);
}

int
dev_run(const struct dev_options *options)
{
	struct dev dev = { .options = options, .tell = -1, .started = clock_now() };
	struct err err = { 0 };
	int status;

	if (place_find(&dev.place, options->project, options->data, &err) < 0 ||
	    (!options->stop && place_lock(&dev.place, &err) < 0)) {
		fprintf(stderr, "stepmill dev: %s\n", err.text);
		if (err.kind == ERR_CONFLICT)
			fprintf(stderr,
				"stepmill dev: end it by stepmill dev --stop\n");
		status = EXIT_FAILURE;
	} else if (options->stop) {
		status = stop_other(&dev);
	} else {
		status = options->detach ? detach(&dev) : serve(&dev);
	}
	dev_fini(&dev);
	return status;
}
