/*
 * A child for the tests of the pool, in place of a front or a worker: says and does
 * what the test sends to its datagram socket, and writes down what it hears. Everything
 * in the folder $POOL_DIR: PID.log, PID.sock, "mode" (what to do at start), "orphans"
 * (pids that must be gone when a death is told).
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define CHANNEL      3
#define SOCKETS_MOST 8

struct child {
	const char *dir, *role; /* "front", or a worker's id */
	int log, commands;
	int sockets[SOCKETS_MOST];
	int sockets_count;
	bool stubborn; /* does not leave on "drain" */
	bool deaf;     /* nor on "drain now" */
	char line[32768];
	size_t line_len;
};

static int hup_pipe[2];

static void
note(struct child *child, const char *format, ...)
{
	char text[33000];
	struct timespec now;
	va_list args;
	int len;

	clock_gettime(CLOCK_MONOTONIC, &now);
	len = snprintf(text, sizeof text, "%ld.%06ld ", (long)now.tv_sec,
		       now.tv_nsec / 1000);
	va_start(args, format);
	len += vsnprintf(text + len, sizeof text - (size_t)len - 2, format, args);
	va_end(args);
	text[len++] = '\n';
	if (write(child->log, text, (size_t)len) != len)
		_exit(99);
}

static void
say(const char *text)
{
	if (write(CHANNEL, text, strlen(text)) < 0)
		_exit(98);
}

static char *
path_of(struct child *child, const char *name)
{
	static char path[200];

	snprintf(path, sizeof path, "%s/%s", child->dir, name);
	return path;
}

static char *
own_path(struct child *child, const char *end)
{
	char name[40];

	snprintf(name, sizeof name, "%d.%s", (int)getpid(), end);
	return path_of(child, name);
}

/* A process in a session of its own, that has another one below it in yet another. */
static void
make_orphans(struct child *child)
{
	FILE *file;

	if (fork() != 0)
		return;
	setsid();
	if (fork() == 0)
		setsid();
	signal(SIGTERM, SIG_IGN);
	file = fopen(path_of(child, "orphans"), "a");
	fprintf(file, "%d\n", (int)getpid());
	fclose(file);
	close(CHANNEL);
	for (;;)
		pause();
}

static int
living_orphans(struct child *child)
{
	FILE *file = fopen(path_of(child, "orphans"), "r");
	int pid, living = 0;

	if (file == NULL)
		return 0;
	while (fscanf(file, "%d", &pid) == 1)
		living += kill(pid, 0) == 0 || errno != ESRCH ? 1 : 0;
	fclose(file);
	return living;
}

/* What a test may ask for; anything else is said on the channel as it stands. */
static void
obey(struct child *child, char *command)
{
	if (strncmp(command, "exit ", 5) == 0)
		_exit(atoi(command + 5));
	if (strcmp(command, "crash") == 0)
		kill(getpid(), SIGKILL);
	if (strcmp(command, "stubborn") == 0)
		child->stubborn = true;
	else if (strcmp(command, "deaf") == 0)
		child->stubborn = child->deaf = true;
	else if (strcmp(command, "orphans") == 0)
		make_orphans(child);
	else if (strcmp(command, "close") == 0)
		close(CHANNEL);
	else
		say(command);
	command[strcspn(command, "\n")] = '\0';
	note(child, "did %s", command);
}

static void
hear(struct child *child, const char *line)
{
	if (strncmp(line, "dead ", 5) == 0)
		note(child, "orphans %d", living_orphans(child));
	note(child, "heard %s", line);
	if ((strcmp(line, "drain") == 0 || strcmp(line, "drain kept") == 0) &&
	    !child->stubborn)
		_exit(0);
	if (strcmp(line, "drain now") == 0 && !child->deaf)
		_exit(0);
}

static void
on_channel(struct child *child)
{
	size_t room = sizeof child->line - child->line_len;
	ssize_t len = read(CHANNEL, child->line + child->line_len, room);
	char *end;

	if (len <= 0) {
		note(child, "end of file");
		_exit(0);
	}
	child->line_len += (size_t)len;
	while ((end = memchr(child->line, '\n', child->line_len)) != NULL) {
		*end++ = '\0';
		hear(child, child->line);
		child->line_len -= (size_t)(end - child->line);
		memmove(child->line, end, child->line_len);
	}
}

static void
on_command(struct child *child)
{
	char text[16384];
	ssize_t len = recv(child->commands, text, sizeof text - 1, 0);

	if (len < 0)
		_exit(97);
	text[len] = '\0';
	obey(child, text);
}

static void
on_client(int fd)
{
	int client = accept(fd, NULL, NULL);
	char text[40];
	int len = snprintf(text, sizeof text, "front %d\n", (int)getpid());

	if (client < 0)
		return;
	if (write(client, text, (size_t)len) != len)
		_exit(96);
	close(client);
}

static void
on_hup(int number)
{
	(void)number;
	if (write(hup_pipe[1], "h", 1) != 1)
		_exit(95);
}

static void
open_all(struct child *child)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const char *fds = getenv("STEPMILL_LISTEN_FDS");

	child->log = open(own_path(child, "log"),
			  O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	snprintf(address.sun_path, sizeof address.sun_path, "%s",
		 own_path(child, "sock"));
	child->commands = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (bind(child->commands, (struct sockaddr *)&address, sizeof address) < 0 ||
	    pipe2(hup_pipe, O_CLOEXEC) < 0)
		_exit(94);
	while (fds != NULL && *fds != '\0' && child->sockets_count < SOCKETS_MOST) {
		child->sockets[child->sockets_count++] = atoi(fds);
		fds = strchr(fds, ',') != NULL ? strchr(fds, ',') + 1 : NULL;
	}
}

/* Everything that a child is to find, in one line. */
static void
note_start(struct child *child)
{
	char null[64] = "", fds[200] = "";
	ssize_t len = readlink("/proc/self/fd/0", null, sizeof null - 1);
	sigset_t blocked;
	int count = 0;

	null[len > 0 ? len : 0] = '\0';
	sigprocmask(SIG_SETMASK, NULL, &blocked);
	for (int fd = 0; fd < 1024; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			count += snprintf(fds + count, sizeof fds - (size_t)count,
					  "%d,", fd);
	note(child, "start %s ppid %d stdin %s fds %s group %d blocked %d notify %s",
	     child->role, (int)getppid(), null, fds, getpgrp() == getpid(),
	     sigismember(&blocked, SIGTERM),
	     getenv("NOTIFY_SOCKET") != NULL ? "yes" : "no");
}

/* The mode is a line per role: "worker exit 78", "front crash", "worker silent". */
static bool
start_by_mode(struct child *child)
{
	const char *role = strcmp(child->role, "front") == 0 ? "front" : "worker";
	FILE *file = fopen(path_of(child, "mode"), "r");
	char line[100];
	bool speak = true;

	while (file != NULL && fgets(line, sizeof line, file) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		if (strncmp(line, role, strlen(role)) != 0)
			continue;
		if (strcmp(line + strlen(role), " silent") == 0)
			speak = false;
		else
			obey(child, line + strlen(role) + 1);
	}
	if (file != NULL)
		fclose(file);
	return speak;
}

static void
serve(struct child *child)
{
	struct pollfd fds[3 + SOCKETS_MOST] = {
		{ .fd = CHANNEL, .events = POLLIN },
		{ .fd = child->commands, .events = POLLIN },
		{ .fd = hup_pipe[0], .events = POLLIN },
	};
	char byte;

	for (int i = 0; i < child->sockets_count; i++)
		fds[3 + i] =
		    (struct pollfd){ .fd = child->sockets[i], .events = POLLIN };
	for (;;) {
		if (poll(fds, 3 + (nfds_t)child->sockets_count, -1) < 0)
			continue;
		if ((fds[0].revents & (POLLIN | POLLHUP)) != 0)
			on_channel(child);
		if ((fds[1].revents & POLLIN) != 0)
			on_command(child);
		if ((fds[2].revents & POLLIN) != 0 && read(hup_pipe[0], &byte, 1) == 1)
			note(child, "hup");
		for (int i = 0; i < child->sockets_count; i++)
			if ((fds[3 + i].revents & POLLIN) != 0)
				on_client(child->sockets[i]);
	}
}

int
main(int argc, char **argv)
{
	static struct child child;

	child.dir = getenv("POOL_DIR");
	child.role = argc == 2 ? "front" : argc == 3 ? argv[2] : NULL;
	if (child.dir == NULL || child.role == NULL ||
	    getenv("STEPMILL_PARENT") == NULL)
		return 93;
	note_start((open_all(&child), &child));
	signal(SIGHUP, on_hup);
	if (start_by_mode(&child))
		say("ready\n");
	serve(&child);
}
