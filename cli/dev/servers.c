/*
 * PostgreSQL keeps its default durability (fsync and synchronous_commit on). Redis
 * keeps nothing: it only says that there is work. See servers.h.
 */
#include "dev/servers.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "clock.h"

#define START_PATIENCE (30 * USEC_SECOND)
#define STOP_PATIENCE  (20 * USEC_SECOND)
#define TICK           (3 * USEC_MS)
#define SOCKET_ARG     4 /* of Redis: the path of its socket */

static const char *
text(struct servers *servers, char *owned)
{
	servers->texts[servers->texts_count++] = owned;
	return owned;
}

/* ---- PostgreSQL ---- */

static int
run_initdb(const struct place *place, const char *data, struct err *err)
{
	char *program = xprintf("%s/initdb", place->postgres_bin);
	char *log = xprintf("%s/initdb.log", place->logs);
	const char *argv[] = { program,
			       "-D",
			       data,
			       "-U",
			       "stepmill",
			       "--auth=trust",
			       "-E",
			       "UTF8",
			       "--locale=C.UTF-8",
			       "--no-instructions",
			       NULL };
	struct process process = {
		.name = "initdb", .argv = argv, .log = log, .as_other = true
	};
	int result = process_run(&process, place, err);

	free(program);
	free(log);
	return result;
}

/* Writes what differs from PostgreSQL's defaults, and nothing about durability. */
static void
fill_postgres(struct servers *servers, const struct place *place)
{
	const char *argv[] = {
		text(servers, xprintf("%s/postgres", place->postgres_bin)),
		"-D",
		servers->data,
		"-c",
		"listen_addresses=",
		"-c",
		text(servers, xprintf("unix_socket_directories=%s", place->sockets)),
		"-c",
		"unix_socket_permissions=0700",
		"-c",
		"port=5432",
		"-c",
		"max_connections=200",
		"-c",
		"shared_buffers=256MB",
		"-c",
		"min_wal_size=1GB",
		"-c",
		"max_wal_size=4GB",
		"-c",
		"log_min_messages=warning",
		"-c",
		"log_line_prefix=%m [%p] ",
		NULL,
	};

	memcpy(servers->postgres_argv, argv, sizeof argv);
	servers->postgres = (struct process){
		.name = "postgres",
		.argv = servers->postgres_argv,
		.log = text(servers, xprintf("%s/postgres.log", place->logs)),
		.as_other = true,
		.end_signal = SIGINT, /* fast shutdown */
	};
}

/* postmaster.pid, as pg_ctl reads it: the pid on its first line, the state on its 8th.
 */
static bool
postmaster_says(const char *data, pid_t pid, const char *state)
{
	char *path = xprintf("%s/postmaster.pid", data);
	FILE *file = fopen(path, "r");
	char line[256];
	bool ours = false, says = false;

	for (int number = 1; file != NULL && fgets(line, sizeof line, file); number++) {
		if (number == 1)
			ours = pid == 0 || atoi(line) == (int)pid;
		if (number == 8)
			says = strncmp(line, state, strlen(state)) == 0;
	}
	if (file != NULL)
		fclose(file);
	free(path);
	return ours && says;
}

/* One left over from a dev that was killed is still shutting down: let it end. */
static void
wait_for_former(const char *data)
{
	char *path = xprintf("%s/postmaster.pid", data);

	usec_t until = clock_mono() + START_PATIENCE;

	while (clock_mono() < until) {
		FILE *file = fopen(path, "r");
		char line[64] = "";
		char *got = file != NULL ? fgets(line, sizeof line, file) : NULL;

		if (file != NULL)
			fclose(file);
		if (got == NULL || atoi(line) <= 0 ||
		    (kill(atoi(line), 0) < 0 && errno == ESRCH))
			break;
		clock_pause(TICK);
	}
	free(path);
}

static int
died(const struct process *process, struct err *err)
{
	return err_set(err, ERR_SYSTEM, "%s ended while starting; see %s",
		       process->name, process->log);
}

int
servers_start_postgres(struct servers *servers, const struct place *place,
		       struct err *err)
{
	wait_for_former(servers->data);
	return process_start(&servers->postgres, place, err);
}

static int
wait_for_postgres(struct servers *servers, struct err *err)
{
	usec_t until = clock_mono() + START_PATIENCE;
	int status;

	while (clock_mono() < until) {
		if (postmaster_says(servers->data, servers->postgres.pid, "ready"))
			return 0;
		if (process_has_ended(&servers->postgres, &status))
			return died(&servers->postgres, err);
		clock_pause(TICK);
	}
	return err_set(err, ERR_SYSTEM, "PostgreSQL was not ready in time; see %s",
		       servers->postgres.log);
}

static int
run_createdb(const struct place *place, struct err *err)
{
	char *program = xprintf("%s/createdb", place->postgres_bin);
	char *log = xprintf("%s/initdb.log", place->logs);
	const char *argv[] = { program,    "-h", place->sockets, "-U", "stepmill",
			       "stepmill", NULL };
	struct process process = {
		.name = "createdb", .argv = argv, .log = log, .as_other = true
	};
	int result = process_run(&process, place, err);

	free(program);
	free(log);
	return result;
}

static int
write_mark(const char *mark, struct err *err)
{
	int fd = open(mark, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	if (fd < 0)
		return err_errno(err, "%s", mark);
	close(fd);
	return 0;
}

/* The cluster is made once. A mark tells that it was made to the end: a half-made one,
 * left by a kill in between, is made anew. */
static int
make_or_start(struct servers *servers, const struct place *place, struct err *err)
{
	char *mark = xprintf("%s/made", place->servers);
	char *broken = xprintf("%s.broken-%d", servers->data, (int)getpid());
	bool made = access(mark, F_OK) == 0;
	int result = 0;

	if (!made && access(servers->data, F_OK) == 0 &&
	    rename(servers->data, broken) < 0)
		result = err_errno(err, "a half-made PostgreSQL cluster at %s",
				   servers->data);
	if (result == 0 && !made)
		result = run_initdb(place, servers->data, err);
	if (result == 0)
		result = servers_start_postgres(servers, place, err);
	if (result == 0)
		result = wait_for_postgres(servers, err);
	if (result == 0 && !made)
		result = run_createdb(place, err);
	if (result == 0 && !made)
		result = write_mark(mark, err);
	free(mark);
	free(broken);
	return result;
}

/* ---- Redis ---- */

static void
fill_redis(struct servers *servers, const struct place *place)
{
	const char *argv[] = {
		place->redis_server,
		"--port",
		"0",
		"--unixsocket",
		text(servers, xprintf("%s/redis.sock", place->sockets)),
		"--unixsocketperm",
		"700",
		"--dir",
		place->servers,
		"--save",
		"",
		"--appendonly",
		"no",
		"--loglevel",
		"warning",
		NULL,
	};

	memcpy(servers->redis_argv, argv, sizeof argv);
	servers->redis = (struct process){
		.name = "redis-server",
		.argv = servers->redis_argv,
		.log = text(servers, xprintf("%s/redis.log", place->logs)),
		.as_other = true,
		.end_signal = SIGTERM,
	};
}

static bool
answers(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool ok;

	snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
	ok = fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0;
	if (fd >= 0)
		close(fd);
	return ok;
}

int
servers_start_redis(struct servers *servers, const struct place *place, struct err *err)
{
	unlink(servers->redis_argv[SOCKET_ARG]); /* of one that was killed */
	return process_start(&servers->redis, place, err);
}

static int
wait_for_redis(struct servers *servers, struct err *err)
{
	usec_t until = clock_mono() + START_PATIENCE;
	int status;

	while (clock_mono() < until) {
		if (answers(servers->redis_argv[SOCKET_ARG]))
			return 0;
		if (process_has_ended(&servers->redis, &status))
			return died(&servers->redis, err);
		clock_pause(TICK);
	}
	return err_set(err, ERR_SYSTEM, "Redis was not ready in time; see %s",
		       servers->redis.log);
}

/* ---- both ---- */

int
servers_start(struct servers *servers, const struct place *place, struct err *err)
{
	*servers = (struct servers){ 0 };
	servers->data = text(servers, xprintf("%s/postgres", place->servers));
	fill_postgres(servers, place);
	fill_redis(servers, place);
	if (servers_start_redis(servers, place, err) < 0 ||
	    make_or_start(servers, place, err) < 0)
		return -1;
	return wait_for_redis(servers, err);
}

void
servers_stop(struct servers *servers)
{
	process_stop(&servers->redis, STOP_PATIENCE);
	process_stop(&servers->postgres, STOP_PATIENCE);
	for (int i = 0; i < servers->texts_count; i++)
		free(servers->texts[i]);
	servers->texts_count = 0;
}
