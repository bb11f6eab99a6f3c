/*
 * The few lines between fork and exec. Signals are blocked across the fork, because a
 * handler of the parent's that ran in the child would write into the parent's loop.
 */
#include "pool/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/point.h"
#include "loop/parent.h"

#define FIRST_SOCKET (PARENT_FD + 1)
#define OUT_OF_WAY   64 /* above every number that a child's descriptor gets */

/* What concerns the parent only. */
static const char *const private_names[] = { "LISTEN_FDS",         "LISTEN_PID",
					     "LISTEN_FDNAMES",     "NOTIFY_SOCKET",
					     "WATCHDOG_USEC",      "WATCHDOG_PID",
					     "STEPMILL_LISTEN_FDS" };

static _Noreturn void
give_up(const char *what)
{
	bool may_work_later = errno == EAGAIN || errno == ENOMEM || errno == EMFILE ||
			      errno == ENFILE || errno == ETXTBSY;

	log_error("child.not_executed", F_STR("program", what),
		  F_STR("why", strerror(errno)));
	_exit(may_work_later ? EXIT_TRY_AGAIN : EXIT_CONFIG);
}

static int
copy_out_of_way(int fd)
{
	int copy = fcntl(fd, F_DUPFD, OUT_OF_WAY);

	if (copy < 0)
		give_up("a copy of a descriptor");
	return copy;
}

static void
put_at(int fd, int place)
{
	if (dup2(fd, place) < 0)
		give_up("a descriptor in its place");
}

/* 0 /dev/null, 1 and 2 as they are, 3 the channel, 4 ... the sockets, nothing else. */
static void
arrange_descriptors(const struct spawn_spec *spec, int channel)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int last = FIRST_SOCKET + (int)spec->sockets_count - 1;
	int away[OUT_OF_WAY];

	if (null < 0)
		give_up("/dev/null");
	null = copy_out_of_way(null);
	channel = copy_out_of_way(channel);
	for (size_t i = 0; i < spec->sockets_count; i++)
		away[i] = copy_out_of_way(spec->sockets[i]);
	put_at(null, STDIN_FILENO);
	put_at(channel, PARENT_FD);
	for (size_t i = 0; i < spec->sockets_count; i++)
		put_at(away[i], FIRST_SOCKET + (int)i);
	if (close_range((unsigned)last + 1, ~0U, 0) < 0)
		give_up("closing of descriptors");
}

static void
arrange_environment(const struct spawn_spec *spec)
{
	struct buf numbers = { 0 };

	for (size_t i = 0; i < sizeof private_names / sizeof private_names[0]; i++)
		unsetenv(private_names[i]);
	setenv("STEPMILL_PARENT", "3", 1);
	for (size_t i = 0; i < spec->sockets_count; i++)
		buf_printf(&numbers, "%s%d", i > 0 ? "," : "", FIRST_SOCKET + (int)i);
	if (spec->sockets_count > 0)
		setenv("STEPMILL_LISTEN_FDS", buf_text(&numbers), 1);
	buf_fini(&numbers);
}

static void
reset_signals(void)
{
	sigset_t none;

	for (int number = 1; number < NSIG; number++)
		signal(number, SIG_DFL); /* refused for KILL, STOP and libc's own */
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static _Noreturn void
become(const struct spawn_spec *spec, int channel)
{
	setpgid(0, 0); /* a Ctrl-C is for the parent, which then ends us in order */
	arrange_descriptors(spec, channel);
	arrange_environment(spec);
	reset_signals();
	POINT("child.exec.before");
	execv(spec->argv[0], (char *const *)(uintptr_t)spec->argv);
	give_up(spec->argv[0]);
}

static pid_t
fork_quietly(const struct spawn_spec *spec, int channel)
{
	sigset_t all, before;
	pid_t pid;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	pid = fork();
	if (pid == 0)
		become(spec, channel);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return pid;
}

int
spawn(const struct spawn_spec *spec, pid_t *pid, int *channel, struct err *err)
{
	int ends[2];

	if (spec->sockets_count > OUT_OF_WAY - FIRST_SOCKET)
		bug("spawn: %zu sockets", spec->sockets_count);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		return err_errno(err, "cannot make a channel");
	POINT("child.fork.before");
	*pid = fork_quietly(spec, ends[1]);
	POINT("child.fork.after");
	if (*pid < 0)
		err_errno(err, "cannot fork");
	close(ends[1]);
	if (*pid < 0)
		close(ends[0]);
	*channel = ends[0];
	return *pid < 0 ? -1 : 0;
}
