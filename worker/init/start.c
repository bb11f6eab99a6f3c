/*
 * From stepmill-init to the program: session, limits, user, folder, signals, exec. What
 * fails on the way is told with errno and stage, so that "no such program" is not taken
 * for an exit status.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "init/parts.h"

#define OOM_SCORE "500\n" /* the kernel takes the program before the worker */

int
start_signals(void)
{
	static const int ignored[] = { SIGHUP,  SIGINT,  SIGQUIT, SIGTERM,
				       SIGPIPE, SIGUSR1, SIGUSR2, SIGALRM,
				       SIGTSTP, SIGTTIN, SIGTTOU };
	sigset_t set;

	for (size_t i = 0; i < sizeof ignored / sizeof ignored[0]; i++)
		signal(ignored[i], SIG_IGN);
	signal(SIGCHLD, SIG_DFL);
	sigfillset(&set);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void
reset_signals(void)
{
	sigset_t none;

	for (int i = 1; i < NSIG; i++)
		if (i != SIGKILL && i != SIGSTOP)
			signal(i, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* A limit can be lowered by everybody; where the hard one is lower it stays. */
static int
set_limit(__rlimit_resource_t what, unsigned long most)
{
	struct rlimit limit;

	if (getrlimit(what, &limit) < 0)
		return -1;
	if (limit.rlim_max == RLIM_INFINITY || limit.rlim_max > most)
		limit.rlim_max = most;
	limit.rlim_cur = limit.rlim_max;
	return setrlimit(what, &limit);
}

static int
set_limits(const struct words *words)
{
	struct rlimit none = { 0, 0 };
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd >= 0) {
		if (write(fd, OOM_SCORE, sizeof OOM_SCORE - 1) < 0)
			errno = 0; /* it is a wish */
		close(fd);
	}
	if (setrlimit(RLIMIT_CORE, &none) < 0)
		return -1;
	if (words->address_space > 0 && set_limit(RLIMIT_AS, words->address_space) < 0)
		return -1;
	if (words->files > 0 && set_limit(RLIMIT_NOFILE, words->files) < 0)
		return -1;
	if (words->processes > 0 && set_limit(RLIMIT_NPROC, words->processes) < 0)
		return -1;
	return 0;
}

static int
enter_cgroup(const struct words *words)
{
	if (words->cgroup_procs < 0)
		return 0;
	return write(words->cgroup_procs, "0", 1) == 1 ? 0 : -1;
}

static int
become_user(const struct words *words)
{
	if (!words->has_user)
		return 0;
	if (setgroups((size_t)words->groups_count, words->groups) < 0)
		return -1;
	if (setresgid(words->group, words->group, words->group) < 0)
		return -1;
	return setresuid(words->user, words->user, words->user);
}

static void
close_rest(bool channel)
{
	unsigned first = channel ? INIT_CHANNEL_FD + 1 : INIT_CHANNEL_FD;

	/* All of ours close themselves at exec; this is for what we do not know of. */
	close_range(first, ~0U, CLOSE_RANGE_CLOEXEC);
}

/* The folder was opened outside of the namespace of mounts that this process is in, and
 * seen from there it has no path: getcwd fails. Opened once more by its path it has
 * one; it has to be the very same folder. */
static int
enter_folder(const struct words *words)
{
	char link[64], path[PATH_MAX];
	struct stat given, found;
	ssize_t len = -1;
	int fd = -1;

	snprintf(link, sizeof link, "/proc/self/fd/%d", INIT_FOLDER_FD);
	if (words->mode == MODE_NAMESPACE)
		len = readlink(link, path, sizeof path - 1);
	path[len > 0 ? len : 0] = '\0';
	if (path[0] == '/')
		fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fstat(INIT_FOLDER_FD, &given) < 0 || fstat(fd, &found) < 0 ||
	    given.st_dev != found.st_dev || given.st_ino != found.st_ino)
		return fchdir(INIT_FOLDER_FD);
	return fchdir(fd);
}

/* In the new process. Returns only when something failed. */
static enum init_stage
become_program(const struct words *words, char **argv)
{
	setsid();
	if (enter_cgroup(words) < 0 || set_limits(words) < 0)
		return INIT_AT_LIMITS;
	if (become_user(words) < 0)
		return INIT_AT_USER;
	if (enter_folder(words) < 0)
		return INIT_AT_FOLDER;
	reset_signals();
	close_rest(words->channel);
	execvp(argv[0], argv);
	return INIT_AT_PROGRAM;
}

static void
close_programs_own(bool channel)
{
	for (int fd = 0; fd <= 2; fd++)
		close(fd);
	if (channel)
		close(INIT_CHANNEL_FD);
	close(INIT_FOLDER_FD);
}

pid_t
start_program(struct words *words, char **argv, struct start_failure *failure)
{
	int news[2];
	pid_t pid;
	ssize_t got;

	fcntl(INIT_CONTROL_FD, F_SETFD, FD_CLOEXEC);
	fcntl(INIT_FOLDER_FD, F_SETFD, FD_CLOEXEC);
	if (pipe2(news, O_CLOEXEC) < 0 || (pid = fork()) < 0) {
		*failure = (struct start_failure){ INIT_AT_INIT, errno };
		return -1;
	}
	if (pid == 0) {
		close(news[0]);
		failure->stage = become_program(words, argv);
		failure->error = errno;
		got = write(news[1], failure, sizeof *failure);
		_exit(got < 0 ? 126 : 127);
	}
	close_programs_own(words->channel);
	close(news[1]);
	do
		got = read(news[0], failure, sizeof *failure); /* ends with exec */
	while (got < 0 && errno == EINTR);
	close(news[0]);
	return got == (ssize_t)sizeof *failure ? -1 : pid;
}
