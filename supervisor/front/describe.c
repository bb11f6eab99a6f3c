/* A child process that asks a program what it is. See describe.h. */
#include "front/describe.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "conf/yaml_text.h"
#include "engine/program_manifest.h"

#define ANSWER_MAX (1024 * 1024)
#define PATIENCE   (20 * USEC_SECOND) /* it has 10 s for the program */
#define READ_PIECE (64 * 1024)

extern char **environ;

struct describe {
	struct loop *loop;
	char *path;
	pid_t pid; /* 0: it has ended */
	int pidfd, out;
	struct watch *out_watch, *end_watch;
	struct timer *timer; /* patience; or the answer, on a turn of its own */
	struct buf text;
	struct err err; /* it could not be asked */
	describe_fn *done;
	void *context;
};

static void
close_out(struct describe *describe)
{
	watch_free(&describe->out_watch);
	if (describe->out >= 0)
		close(describe->out);
	describe->out = -1;
}

void
describe_free(struct describe **describe_p)
{
	struct describe *describe = *describe_p;

	*describe_p = NULL;
	if (describe == NULL)
		return;
	close_out(describe);
	watch_free(&describe->end_watch);
	if (describe->pid > 0) {
		kill(describe->pid, SIGKILL);
		waitpid(describe->pid, NULL, 0);
	}
	if (describe->pidfd >= 0)
		close(describe->pidfd);
	timer_free(&describe->timer);
	buf_fini(&describe->text);
	free(describe->path);
	free(describe);
}

/* JSON is YAML, but for some characters. */
static void
write_manifest(const struct json *manifest, struct buf *out)
{
	char *text = json_text(manifest);

	yaml_text_escape(text, strlen(text), out);
	free(text);
}

static void
tell(struct describe *describe)
{
	struct problems problems = { .file = xstrdup(describe->path) };
	struct json *manifest = NULL;
	struct buf text = { 0 };

	if (describe->err.kind != ERR_NONE)
		problems_add_at(&problems, 0, 0, "", "%s", describe->err.text);
	else
		manifest = program_described(buf_text(&describe->text),
					     describe->text.len, &problems);
	if (manifest != NULL)
		write_manifest(manifest, &text);
	json_unref(&manifest);
	describe->done(describe->context, text.len > 0 ? buf_text(&text) : NULL,
		       &problems);
	buf_fini(&text);
	problems_fini(&problems);
}

/* Both its words and its end. */
static void
tell_if_over(struct describe *describe)
{
	if (describe->pid != 0 || describe->out >= 0)
		return;
	timer_stop(describe->timer);
	tell(describe);
}

static void
on_out(void *context, unsigned ready)
{
	struct describe *describe = context;
	ssize_t got =
	    read(describe->out, buf_reserve(&describe->text, READ_PIECE), READ_PIECE);

	(void)ready;
	if (got > 0) {
		buf_grow(&describe->text, (size_t)got);
		if (describe->text.len <= ANSWER_MAX)
			return;
		err_set(&describe->err, ERR_LIMIT,
			"the program says more than 1 MiB of itself");
	} else if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
		return;
	}
	close_out(describe);
	tell_if_over(describe);
}

static void
on_end(void *context, unsigned ready)
{
	struct describe *describe = context;

	(void)ready;
	if (waitpid(describe->pid, NULL, WNOHANG) == 0)
		return;
	watch_free(&describe->end_watch);
	describe->pid = 0;
	tell_if_over(describe);
}

static void
on_timer(void *context)
{
	struct describe *describe = context;

	if (describe->pid == 0) {
		tell(describe);
		return;
	}
	err_set(&describe->err, ERR_SYSTEM, "the program was not asked in time");
	kill(describe->pid, SIGKILL);
	close_out(describe);
}

/* ---- the start ---- */

static char *
worker_path(void)
{
	char self[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", self, sizeof self - 1);
	char *slash;

	self[len > 0 ? len : 0] = '\0';
	slash = strrchr(self, '/');
	return xprintf("%.*s/stepmill-worker", slash != NULL ? (int)(slash - self) : 0,
		       self);
}

static int
spawn_worker(struct describe *describe, const struct settings *settings, int out,
	     struct err *err)
{
	char *worker = worker_path();
	char *argv[] = {
		worker, (char *)"--describe", describe->path, NULL, NULL, NULL
	};
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none;
	int error;

	if (settings->file != NULL) {
		argv[3] = (char *)"--config";
		argv[4] = settings->file;
	}
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, out, 1);
	posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_addclosefrom_np(&actions, 3);
	posix_spawnattr_init(&attributes);
	sigemptyset(&none);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
	error =
	    posix_spawn(&describe->pid, worker, &actions, &attributes, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attributes);
	if (error != 0) {
		describe->pid = 0;
		err_set(err, ERR_SYSTEM, "%s cannot be started: %s", worker,
			strerror(error));
	}
	free(worker);
	return error == 0 ? 0 : -1;
}

static int
start(struct describe *describe, const struct settings *settings, struct err *err)
{
	int fds[2], result;

	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) < 0)
		return err_errno(err, "a pipe");
	fcntl(fds[1], F_SETFL, 0);
	result = spawn_worker(describe, settings, fds[1], err);
	close(fds[1]);
	if (result < 0) {
		close(fds[0]);
		return -1;
	}
	describe->out = fds[0];
	describe->pidfd = pidfd_open(describe->pid, 0);
	if (describe->pidfd < 0)
		return err_errno(err, "a descriptor of the process");
	describe->out_watch =
	    watch_new(describe->loop, describe->out, WATCH_READ, on_out, describe);
	describe->end_watch =
	    watch_new(describe->loop, describe->pidfd, WATCH_READ, on_end, describe);
	return 0;
}

struct describe *
describe_new(struct loop *loop, const struct settings *settings, const char *path,
	     describe_fn *done, void *context)
{
	struct describe *describe = xcalloc(1, sizeof *describe);

	describe->loop = loop;
	describe->path = xstrdup(path);
	describe->pidfd = describe->out = -1;
	describe->done = done;
	describe->context = context;
	describe->timer = timer_new(loop, on_timer, describe);
	if (start(describe, settings, &describe->err) < 0) {
		close_out(describe);
		if (describe->pid > 0) {
			kill(describe->pid, SIGKILL);
			waitpid(describe->pid, NULL, 0);
			describe->pid = 0;
		}
		timer_set(describe->timer, 0);
	} else {
		timer_set(describe->timer, PATIENCE);
	}
	return describe;
}
