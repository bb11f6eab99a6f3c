/*
 * The other half of point.h, and empty in ordinary builds. It is also called between
 * fork and exec, so it makes system calls, and reads the environment, but allocates
 * nothing.
 */
#include "base/point.h"

#ifdef STEPMILL_POINTS

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NAME_MAX_LEN 128
#define KILLED       (128 + SIGKILL)

/* As the tests call them: the parent and the front are one program. */
static const char *
program(void)
{
	const char *dash = strchr(program_invocation_short_name, '-');
	const char *name = dash != NULL ? dash + 1 : program_invocation_short_name;

	if (strcmp(name, "supervisor") == 0 && getenv("STEPMILL_PARENT") != NULL)
		return "front";
	return name;
}

static void
note(const char *path, int flags, const char *name)
{
	char line[2 * NAME_MAX_LEN];
	int len = snprintf(line, sizeof line, "%s %s %d\n", program(), name, getpid());
	int fd = open(path, flags | O_WRONLY | O_CREAT | O_CLOEXEC, 0666);

	if (fd < 0)
		return;
	if (write(fd, line, (size_t)len) != len)
		_exit(EXIT_FAILURE);
	close(fd);
}

/* "POINT:VISIT[:PROGRAM]"; 0: not this one. */
static unsigned long
visit_wanted(const char *order, const char *name)
{
	size_t len = strlen(name);
	unsigned long visit;
	char *end;

	if (order == NULL || strncmp(order, name, len) != 0 || order[len] != ':')
		return 0;
	visit = strtoul(order + len + 1, &end, 10);
	return *end == '\0' || strcmp(end + 1, program()) == 0 ? visit : 0;
}

/* The first one only: what is started in its place lives. */
static bool
is_first(const char *mark)
{
	return mark != NULL && access(mark, F_OK) != 0;
}

/* The first process of a PID namespace cannot be killed from within. */
static _Noreturn void
die(const char *mark, const char *name)
{
	note(mark, O_EXCL, name);
	kill(getpid(), SIGKILL);
	_exit(KILLED);
}

void
point_visit(const char *name)
{
	static unsigned long visits; /* of the one point that is asked for */
	const char *seen = getenv("STEPMILL_POINTS_SEEN");
	const char *mark = getenv("STEPMILL_CRASH_MARK");
	unsigned long wanted = visit_wanted(getenv("STEPMILL_CRASH"), name);

	if (seen != NULL)
		note(seen, O_APPEND, name);
	if (wanted > 0 && ++visits == wanted && is_first(mark))
		die(mark, name);
}

void
point_visit_of(const char *kind, const char *of, const char *when)
{
	char name[NAME_MAX_LEN];

	snprintf(name, sizeof name, "%s.%s.%s", kind, of, when);
	point_visit(name);
}

#endif
