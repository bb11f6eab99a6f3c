/* See former.h. A process is one of ours if its command line names our folders. */
#include "dev/former.h"

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "clock.h"
#include "dev/state.h"

#define PATIENCE (8 * USEC_SECOND)
#define TICK     (5 * USEC_MS)

static bool
is_ours(const struct place *place, pid_t pid)
{
	char path[64], line[8192];
	ssize_t len;
	int fd;

	snprintf(path, sizeof path, "/proc/%d/cmdline", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	len = read(fd, line, sizeof line - 1);
	close(fd);
	for (ssize_t i = 0; i < len; i++)
		if (line[i] == '\0')
			line[i] = ' ';
	line[len > 0 ? len : 0] = '\0';
	return strstr(line, place->data) != NULL ||
	       strstr(line, place->servers) != NULL ||
	       strstr(line, place->sockets) != NULL;
}

static void
wait_for(const struct place *place, pid_t pid)
{
	usec_t until = clock_mono() + PATIENCE;

	if (pid <= 0)
		return;
	while (is_ours(place, pid)) {
		if (clock_mono() >= until)
			kill(pid, SIGKILL);
		clock_pause(TICK);
	}
}

void
former_wait(const struct place *place)
{
	static const char *const keys[] = { "supervisorPid", "schedulerPid",
					    "redisPid" };
	struct json *left = state_left(place->data);

	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		wait_for(place, (pid_t)json_int(json_get(left, keys[i])));
	json_unref(&left);
}
