/* Child processes of `stepmill dev`. See process.h. */
#include "dev/process.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "clock.h"

/* In the child: everything up to exec. Only async-signal-safe calls. */
static void
become(const struct process *process, const struct place *place, int log, pid_t parent)
{
	sigset_t none;
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setpgid(0, 0);
	dup2(null, 0);
	dup2(log, 1);
	dup2(log, 2);
	if (process->as_other && place->as_other &&
	    (setgroups(0, NULL) < 0 || setgid(place->gid) < 0 ||
	     setuid(place->uid) < 0))
		_exit(126);
	if (process->as_other && chdir(place->servers) < 0)
		_exit(126);
	/* after the change of user, which would undo it */
	prctl(PR_SET_PDEATHSIG,
	      process->orphan_signal ? process->orphan_signal : process->end_signal);
	if (getppid() != parent)
		_exit(126);
	execv(process->argv[0], (char *const *)process->argv);
	dprintf(2, "%s: %s\n", process->argv[0], strerror(errno));
	_exit(127);
}

int
process_start(struct process *process, const struct place *place, struct err *err)
{
	pid_t parent = getpid();
	int log = open(process->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);

	if (log < 0)
		return err_errno(err, "%s", process->log);
	process->pid = fork();
	if (process->pid == 0)
		become(process, place, log, parent);
	close(log);
	if (process->pid < 0) {
		process->pid = 0;
		return err_errno(err, "cannot start %s", process->name);
	}
	return 0;
}

static void
last_line(const char *path, char *out, size_t size)
{
	FILE *file = fopen(path, "r");
	char line[512];

	out[0] = '\0';
	while (file != NULL && fgets(line, sizeof line, file) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		if (line[0] != '\0')
			snprintf(out, size, "%s", line);
	}
	if (file != NULL)
		fclose(file);
}

int
process_run(struct process *process, const struct place *place, struct err *err)
{
	char line[512];
	int status = 0;

	if (process_start(process, place, err) < 0)
		return -1;
	while (waitpid(process->pid, &status, 0) < 0 && errno == EINTR)
		;
	process->pid = 0;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	last_line(process->log, line, sizeof line);
	return err_set(err, ERR_SYSTEM, "%s failed: %s (see %s)", process->name, line,
		       process->log);
}

bool
process_has_ended(struct process *process, int *status)
{
	if (process->pid == 0 || waitpid(process->pid, status, WNOHANG) != process->pid)
		return false;
	process->pid = 0;
	return true;
}

void
process_stop(struct process *process, usec_t patience)
{
	const struct timespec tick = { .tv_nsec = 5000000 };
	usec_t until = clock_mono() + patience;
	sigset_t again;
	int status;

	if (process->pid == 0)
		return;
	sigemptyset(&again);
	sigaddset(&again, SIGINT);
	sigaddset(&again, SIGTERM);
	kill(process->pid, process->end_signal);
	while (clock_mono() < until) {
		if (process_has_ended(process, &status))
			return;
		if (sigtimedwait(&again, NULL, &tick) > 0)
			kill(process->pid, process->end_signal);
	}
	kill(process->pid, SIGKILL);
	waitpid(process->pid, &status, 0);
	process->pid = 0;
}

char *
process_end_text(int status, char *out, size_t size)
{
	if (WIFSIGNALED(status))
		snprintf(out, size, "was killed by signal %d", WTERMSIG(status));
	else
		snprintf(out, size, "ended with status %d", WEXITSTATUS(status));
	return out;
}
