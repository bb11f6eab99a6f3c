/*
 * Everything below us: signalled as a namespace, as a control group, or process by
 * process. The walk is repeated by the caller until no child is left, so what forks
 * meanwhile is met in a later pass.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "descendants.h"
#include "init/parts.h"

/* ---- the walk ---- */

static void
signal_one(void *context, pid_t pid, bool child)
{
	int number = *(const int *)context;

	(void)child;
	kill(pid, number);
	if (number == SIGTERM)
		kill(pid, SIGCONT); /* one that is stopped must hear it too */
}

static void
walk(int number)
{
	descendants_each(getpid(), NULL, 0, signal_one, &number);
}

/* ---- the control group ---- */

static int
open_in(const char *folder, const char *name)
{
	char path[4096];

	if ((size_t)snprintf(path, sizeof path, "%s/%s", folder, name) >= sizeof path)
		return -1;
	return open(path, O_WRONLY | O_CLOEXEC);
}

int
tree_open(struct words *words)
{
	if (words->mode == MODE_NAMESPACE)
		return 0;
	if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
		return -1;
	if (words->mode == MODE_REAPER)
		return 0;
	if (words->cgroup == NULL ||
	    (mkdir(words->cgroup, 0755) < 0 && errno != EEXIST))
		return -1;
	words->cgroup_procs = open_in(words->cgroup, "cgroup.procs");
	words->cgroup_kill = open_in(words->cgroup, "cgroup.kill");
	return words->cgroup_procs < 0 || words->cgroup_kill < 0 ? -1 : 0;
}

void
tree_close(const struct words *words)
{
	if (words->mode == MODE_CGROUP)
		rmdir(words->cgroup);
}

void
tree_signal(const struct words *words, int number)
{
	if (words->mode == MODE_NAMESPACE) {
		kill(-1, number);
		if (number == SIGTERM)
			kill(-1, SIGCONT);
		return;
	}
	if (words->mode == MODE_CGROUP && number == SIGKILL &&
	    write(words->cgroup_kill, "1", 1) < 0)
		errno = 0; /* the walk is there as well */
	walk(number);
}

/* ---- does it work here? ---- */

static int
probe_cgroup(struct words *words)
{
	int status = 0;
	pid_t pid;

	if (tree_open(words) < 0 || (pid = fork()) < 0)
		return -1;
	if (pid == 0) {
		if (write(words->cgroup_procs, "0", 1) == 1)
			pause();
		_exit(EXIT_FAILURE);
	}
	/* Killed by the group once it is in it; else it ended by itself. */
	while (waitpid(pid, &status, WNOHANG) == 0) {
		if (write(words->cgroup_kill, "1", 1) < 0)
			kill(pid, SIGTERM);
		usleep(1000);
	}
	tree_close(words);
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL ? 0 : -1;
}

int
tree_probe(struct words *words)
{
	if (words->mode == MODE_NAMESPACE)
		return getpid() == 1 ? 0 : -1;
	if (words->mode == MODE_CGROUP)
		return probe_cgroup(words);
	return prctl(PR_SET_CHILD_SUBREAPER, 1) < 0 ||
		       access("/proc/self/stat", R_OK) < 0
		   ? -1
		   : 0;
}
