/*
 * Fork and exec of stepmill-init. Between the two only system calls are made: this
 * process may have threads (name resolution) and its memory is not to be trusted there.
 */
#include "spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/point.h"
#include "base/xalloc.h"

#define PROBE_MS 2000
#define MOVED_FD 64 /* descriptors are first moved to here and above */

static const struct {
	const char *name, *mode;
	unsigned long flags;
} ways[ISOLATIONS] = {
	[ISOLATION_NAMESPACE] = { "PID namespace", "namespace",
				  CLONE_NEWPID | CLONE_NEWNS },
	[ISOLATION_USER_NAMESPACE] = { "PID namespace in a user namespace", "namespace",
				       CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS },
	[ISOLATION_CGROUP] = { "control group", "cgroup", 0 },
	[ISOLATION_REAPER] = { "sub-reaper", "reaper", 0 },
};

const char *
isolation_name(enum isolation isolation)
{
	return ways[isolation].name;
}

const char *
isolation_mode(enum isolation isolation)
{
	return ways[isolation].mode;
}

/* ---- in the child ---- */

/* Everybody is who he was; nobody else exists there. */
struct id_maps {
	char users[64], groups[64];
};

static bool
write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool done;

	if (fd < 0)
		return false;
	done = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	close(fd);
	return done;
}

/* A /proc of its own, so that programs find themselves in it; where that is forbidden
 * they see the outer one, which does no harm. */
static bool
enter_namespaces(unsigned long flags, const struct id_maps *maps)
{
	if ((flags & CLONE_NEWUSER) != 0 &&
	    (!write_file("/proc/self/setgroups", "deny") ||
	     !write_file("/proc/self/uid_map", maps->users) ||
	     !write_file("/proc/self/gid_map", maps->groups)))
		return false;
	if ((flags & CLONE_NEWNS) != 0 &&
	    mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) == 0)
		mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
	return true;
}

/* Sources may stand on each other's places: first all of them out of the way. */
static bool
place_descriptors(const int *fds)
{
	int moved[SPAWN_FDS];

	for (int i = 0; i < SPAWN_FDS; i++) {
		moved[i] = fds[i] < 0 ? -1 : fcntl(fds[i], F_DUPFD, MOVED_FD);
		if (fds[i] >= 0 && moved[i] < 0)
			return false;
	}
	for (int i = 0; i < SPAWN_FDS; i++) {
		if (moved[i] < 0)
			close(i);
		else if (dup2(moved[i], i) < 0)
			return false;
	}
	return close_range(SPAWN_FDS, ~0U, 0) == 0;
}

static _Noreturn void
become_init(const struct spawn *spawn, const struct id_maps *maps)
{
	struct init_message message = { INIT_NOT_STARTED, INIT_AT_INIT, 0 };
	int control = spawn->fds[INIT_CONTROL_FD];
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (enter_namespaces(ways[spawn->isolation].flags, maps) &&
	    place_descriptors(spawn->fds)) {
		control = INIT_CONTROL_FD;
		POINT("program.exec.before");
		execve(spawn->init, spawn->words, spawn->environment);
	}
	message.value = errno;
	if (control >= 0)
		send(control, &message, sizeof message, MSG_NOSIGNAL);
	_exit(EXIT_FAILURE);
}

/* ---- in the parent ---- */

static int
clone_child(unsigned long flags, struct child *child)
{
	sigset_t all, before;
	long pid;

	/* No handler of ours may run in the child. */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	child->pidfd = -1;
	pid = syscall(SYS_clone, flags | CLONE_PIDFD | SIGCHLD, NULL, &child->pidfd,
		      NULL, NULL);
	if (pid == 0)
		return 0;
	sigprocmask(SIG_SETMASK, &before, NULL);
	child->pid = (pid_t)pid;
	return pid < 0 ? -1 : 1;
}

int
spawn(const struct spawn *spawn, struct child *child, struct err *err)
{
	struct id_maps maps;
	int side;

	snprintf(maps.users, sizeof maps.users, "%u %u 1\n", geteuid(), geteuid());
	snprintf(maps.groups, sizeof maps.groups, "%u %u 1\n", getegid(), getegid());
	POINT("program.fork.before");
	side = clone_child(ways[spawn->isolation].flags, child);
	if (side == 0)
		become_init(spawn, &maps);
	if (side > 0) {
		POINT("program.fork.after");
		return 0;
	}
	if (errno == EAGAIN || errno == ENOMEM || errno == ENOSPC || errno == EUSERS)
		return err_set(err, ERR_RETRY, "cannot start a process: %s",
			       strerror(errno));
	return err_errno(err, "cannot start a process");
}

/* ---- what works here ---- */

/* "... /sys/fs/cgroup/unified ... - cgroup2 ...": where version 2 is mounted. */
static bool
find_mount(char *out, size_t size)
{
	FILE *file = fopen("/proc/self/mountinfo", "re");
	char line[4096], path[2048];
	bool found = false;

	while (file != NULL && !found && fgets(line, sizeof line, file) != NULL)
		found = strstr(line, " - cgroup2 ") != NULL &&
			sscanf(line, "%*s %*s %*s %*s %2047s", path) == 1;
	if (file != NULL)
		fclose(file);
	if (found)
		snprintf(out, size, "%s", path);
	return found;
}

char *
isolation_cgroup(void)
{
	FILE *file = fopen("/proc/self/cgroup", "re");
	char line[2048], mount_point[2048];
	char *path = NULL;

	while (file != NULL && path == NULL && fgets(line, sizeof line, file) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		if (strncmp(line, "0::/", 4) == 0 &&
		    find_mount(mount_point, sizeof mount_point))
			path = xprintf("%s%s%sstepmill", mount_point, line + 3,
				       line[4] != '\0' ? "/" : "");
	}
	if (file != NULL)
		fclose(file);
	return path;
}

static bool
ended_well(const struct child *child)
{
	struct pollfd fd = { .fd = child->pidfd, .events = POLLIN };
	int status = 0;

	if (poll(&fd, 1, PROBE_MS) != 1)
		kill(child->pid, SIGKILL);
	while (waitpid(child->pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS;
}

bool
isolation_works(enum isolation isolation, const char *init, const char *cgroup)
{
	char *probe = xprintf("probe=%s", ways[isolation].mode);
	char *group =
	    xprintf("cgroup=%s-%d-probe", cgroup != NULL ? cgroup : "", getpid());
	char *words[] = { (char *)"stepmill-init", probe, group, NULL };
	char *environment[] = { NULL };
	struct spawn try = { .init = init,
			     .isolation = isolation,
			     .words = words,
			     .environment = environment,
			     .fds = { -1, -1, 2, -1, -1, -1 } };
	struct child child;
	struct err err = { 0 };
	bool works = false;

	if ((isolation != ISOLATION_CGROUP || cgroup != NULL) &&
	    spawn(&try, &child, &err) == 0) {
		works = ended_well(&child);
		close(child.pidfd);
	}
	free(probe);
	free(group);
	return works;
}
