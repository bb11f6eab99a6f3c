/*
 * The child only removes and tells; what it tells fits into the pipe, so that it never
 * waits for us. It keeps nothing of ours open: else a connection (and with it the
 * leadership) could outlive us. See removal.h.
 */
#include "removal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "files/files.h"
#include "files/tree.h"

#define LOOK_EVERY (10 * USEC_MS)
#define LOOK_MAX   (500 * USEC_MS)
#define PATIENCE   (60 * USEC_SECOND)
#define AT_A_TIME  1024 /* entries, before the tree is walked from the top again */
#define CHILD_PIPE 3

struct removal {
	struct loop *loop;
	struct timer *timer;
	removal_fn *done;
	void *context;
	pid_t child; /* 0: there is none */
	int pipe;
	usec_t give_up_at, look;
	size_t count, told;
	struct removal_result results[REMOVAL_MOST];
};

/* ---- in the child ---- */

/* An empty project is another thing than one that is not there. */
static int
reach(const char *project, struct err *err)
{
	int fd = files_open_folder(project, ".", err);

	if (fd < 0)
		return -1;
	close(fd);
	return 0;
}

static struct removal_result
remove_one(const struct removal_folder *folder)
{
	struct removal_result result = { 0 };
	struct err err = { 0 };
	enum tree_left left = TREE_FAILED;

	if (reach(folder->project, &err) == 0)
		do
			left =
			    tree_remove(folder->project, folder->path, AT_A_TIME, &err);
		while (left == TREE_MORE);
	result.gone = left == TREE_GONE;
	if (!result.gone)
		snprintf(result.why, sizeof result.why, "%.150s", err.text);
	return result;
}

static void
forget_signals(void)
{
	sigset_t none;

	signal(SIGTERM, SIG_DFL);
	signal(SIGINT, SIG_DFL);
	signal(SIGHUP, SIG_IGN);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static void
in_child(int to, pid_t parent, const struct removal_folder *folders, size_t count)
{
	forget_signals();
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent || dup2(to, CHILD_PIPE) < 0 ||
	    close_range(CHILD_PIPE + 1, UINT_MAX, 0) < 0)
		_exit(EXIT_FAILURE);
	if (nice(10) < 0)
		errno = 0; /* then at our own pace */
	for (size_t i = 0; i < count; i++) {
		struct removal_result result = remove_one(&folders[i]);

		if (write(CHILD_PIPE, &result, sizeof result) != sizeof result)
			_exit(EXIT_FAILURE);
	}
	_exit(EXIT_SUCCESS);
}

/* ---- beside it ---- */

static void
fail_rest(struct removal *removal, const char *why)
{
	for (size_t i = removal->told; i < removal->count; i++)
		snprintf(removal->results[i].why, sizeof removal->results[i].why,
			 "%.150s", why);
	removal->told = removal->count;
}

/* Whole records only: each was written in one go. */
static void
read_results(struct removal *removal)
{
	while (removal->told < removal->count &&
	       read(removal->pipe, &removal->results[removal->told],
		    sizeof removal->results[0]) == sizeof removal->results[0])
		removal->told++;
}

static bool
has_ended(struct removal *removal)
{
	int status;

	if (removal->child == 0)
		return true;
	if (waitpid(removal->child, &status, WNOHANG) == 0)
		return false;
	removal->child = 0;
	return true;
}

static void
on_look(void *context)
{
	struct removal *removal = context;
	usec_t now = loop_mono(removal->loop);

	if (!has_ended(removal)) {
		if (now >= removal->give_up_at)
			kill(removal->child, SIGKILL);
		removal->look =
		    removal->look * 2 < LOOK_MAX ? removal->look * 2 : LOOK_MAX;
		timer_set(removal->timer, removal->look);
		return;
	}
	if (removal->pipe >= 0)
		read_results(removal);
	fail_rest(removal, now >= removal->give_up_at
			       ? "the storage does not answer"
			       : "the process that removes files ended early");
	removal->done(removal->context, removal->results, removal->count);
}

static int
start(struct removal *removal, const struct removal_folder *folders)
{
	pid_t parent = getpid();
	sigset_t all, before;
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -1;
	removal->pipe = ends[0];
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	removal->child = fork();
	if (removal->child == 0)
		in_child(ends[1], parent, folders, removal->count);
	sigprocmask(SIG_SETMASK, &before, NULL);
	close(ends[1]);
	if (removal->child > 0)
		return 0;
	removal->child = 0;
	return -1;
}

struct removal *
removal_new(struct loop *loop, const struct removal_folder *folders, size_t count,
	    removal_fn *done, void *context)
{
	struct removal *removal = xcalloc(1, sizeof *removal);

	removal->loop = loop;
	removal->done = done;
	removal->context = context;
	removal->count = count < REMOVAL_MOST ? count : REMOVAL_MOST;
	removal->pipe = -1;
	removal->look = LOOK_EVERY;
	removal->give_up_at = loop_mono(loop) + PATIENCE;
	removal->timer = timer_new(loop, on_look, removal);
	if (start(removal, folders) < 0)
		fail_rest(removal, strerror(errno));
	timer_set(removal->timer, removal->child != 0 ? LOOK_EVERY : 0);
	return removal;
}

/* ---- the end ---- */

static void
dispose(void *context)
{
	struct removal *removal = context;

	timer_free(&removal->timer);
	free(removal);
}

void
removal_free(struct removal **removal_p)
{
	struct removal *removal = *removal_p;

	if (removal == NULL)
		return;
	*removal_p = NULL;
	if (removal->child != 0) {
		kill(removal->child, SIGKILL);
		has_ended(removal);
	}
	if (removal->pipe >= 0)
		close(removal->pipe);
	timer_stop(removal->timer);
	loop_defer(removal->loop, dispose, removal);
}
