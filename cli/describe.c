/* A child process that asks a program what it is. See describe.h. */
#include "describe.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "conf/yaml_text.h"
#include "engine/program_manifest.h"
#include "engine/program_read.h"

#define ANSWER_MAX (1024 * 1024)
#define READ_PIECE (64 * 1024)

extern char **environ;

bool
describe_is_program(const char *path)
{
	const char *slash = strrchr(path, '/');

	return program_language_of(slash != NULL ? slash + 1 : path) !=
	       PROGRAM_LANGUAGES;
}

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
start(const char *path, int out, pid_t *pid)
{
	char *worker = worker_path();
	char *argv[] = { worker, (char *)"--describe", (char *)(uintptr_t)path, NULL };
	posix_spawn_file_actions_t actions;
	int error;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, out, 1);
	error = posix_spawn(pid, worker, &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	free(worker);
	return error;
}

static void
read_all(int fd, struct buf *out)
{
	ssize_t got;

	do {
		got = read(fd, buf_reserve(out, READ_PIECE), READ_PIECE);
		if (got > 0)
			buf_grow(out, (size_t)got);
	} while (out->len < ANSWER_MAX && (got > 0 || (got < 0 && errno == EINTR)));
}

/* What it printed; false: it could not be asked. */
static bool
ask(const char *path, struct buf *out, struct problems *problems)
{
	int fds[2], error;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0) {
		problems_add_at(problems, 0, 0, "", "%s", strerror(errno));
		return false;
	}
	error = start(path, fds[1], &pid);
	close(fds[1]);
	if (error == 0) {
		read_all(fds[0], out);
		waitpid(pid, NULL, 0);
	} else {
		problems_add_at(problems, 0, 0, "",
				"stepmill-worker, which would ask the program, cannot "
				"be started: %s",
				strerror(error));
	}
	close(fds[0]);
	return error == 0;
}

char *
describe_program(const char *path, struct problems *problems)
{
	struct buf told = { 0 }, text = { 0 };
	struct json *manifest = NULL;
	char *json;

	if (ask(path, &told, problems))
		manifest = program_described(buf_text(&told), told.len, problems);
	buf_fini(&told);
	if (manifest == NULL)
		return NULL;
	json = json_text(manifest);
	yaml_text_escape(json, strlen(json), &text);
	free(json);
	json_unref(&manifest);
	return buf_take(&text);
}
