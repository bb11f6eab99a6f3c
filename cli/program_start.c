/* See program_start.h. */
#include "program_start.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/xalloc.h"

#define WORDS_MAX 8
#define ESBUILD   "esbuild"

struct call {
	char *words[WORDS_MAX]; /* NULL-terminated */
	size_t count;
	char *environment; /* "NAME=value", or NULL */
};

/* ---- where the SDK lies ---- */

/* Beside the program that runs, as it is installed or built; the caller's. */
static char *
sdk_folder(void)
{
	static const char *const places[] = { "../share/stepmill/sdk", "../../../sdk" };
	const char *told = getenv("STEPMILL_SDK_PATH");
	char self[PATH_MAX], *slash;
	ssize_t len = readlink("/proc/self/exe", self, sizeof self - 1);

	if (told != NULL && *told != '\0')
		return xstrdup(told);
	self[len > 0 ? len : 0] = '\0';
	slash = strrchr(self, '/');
	for (size_t i = 0; slash != NULL && i < sizeof places / sizeof *places; i++) {
		char *path = xprintf("%.*s/%s", (int)(slash - self), self, places[i]);
		char *whole = realpath(path, NULL);

		free(path);
		if (whole != NULL)
			return whole;
	}
	return NULL;
}

/* ---- how a kind of file is run ---- */

static void
add_word(struct call *call, char *word)
{
	call->words[call->count++] = word;
}

static bool
ends_in(const char *path, const char *end)
{
	size_t len = strlen(path), end_len = strlen(end);

	return len > end_len && strcmp(path + len - end_len, end) == 0;
}

/* Runs a command to its end; its exit status, or -1. */
static int
run_command(char *const words[])
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		execvp(words[0], words);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0 || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

static bool
node_reads_types(void)
{
	char *const words[] = { "node", "-e",
				"process.exit(process.features.typescript ? 0 : 1)",
				NULL };

	return run_command(words) == 0;
}

/* The file without its types, in a folder of its own; the caller's. */
static char *
strip_types(const char *path, struct started *started, struct err *err)
{
	char *out, *option;

	started->folder = xstrdup("/tmp/stepmill-test-XXXXXX");
	if (mkdtemp(started->folder) == NULL) {
		err_errno(err, "%s", started->folder);
		return NULL;
	}
	out = xprintf("%s/program.mjs", started->folder);
	option = xprintf("--outfile=%s", out);
	char *const words[] = { ESBUILD,
				(char *)path,
				"--bundle",
				"--format=esm",
				"--platform=node",
				"--packages=external",
				"--sourcemap=inline",
				"--log-level=warning",
				option,
				NULL };
	if (run_command(words) != 0) {
		err_set(err, ERR_INPUT,
			"%s: its types are not taken off; that needs a node that does, "
			"or " ESBUILD,
			path);
		free(out);
		out = NULL;
	}
	free(option);
	return out;
}

static int
call_node(struct call *call, const char *path, const char *sdk, struct started *started,
	  struct err *err)
{
	bool strip = ends_in(path, ".ts") && !node_reads_types();
	char *file = strip ? strip_types(path, started, err) : xstrdup(path);

	if (file == NULL)
		return -1;
	add_word(call, xstrdup("node"));
	add_word(call, xstrdup("--enable-source-maps"));
	add_word(call, xstrdup("--import"));
	add_word(call, xprintf("%s/javascript/register.mjs", sdk));
	add_word(call, file);
	return 0;
}

static int
call_of(struct call *call, const char *path, struct started *started, struct err *err)
{
	char *sdk = sdk_folder();
	int result = 0;

	if (sdk == NULL)
		result = err_set(err, ERR_INPUT,
				 "the SDK is not found; STEPMILL_SDK_PATH says where");
	else if (ends_in(path, ".js") || ends_in(path, ".mjs") || ends_in(path, ".ts"))
		result = call_node(call, path, sdk, started, err);
	else if (ends_in(path, ".py")) {
		add_word(call, xstrdup("python3"));
		add_word(call, xstrdup(path));
		call->environment = xprintf("PYTHONPATH=%s/python", sdk);
	} else if (access(path, X_OK) == 0)
		add_word(call, xstrdup(path));
	else
		result =
		    err_set(err, ERR_INPUT,
			    "%s is no workflow program: .ts, .js, .mjs, .py, or an "
			    "executable",
			    path);
	free(sdk);
	return result;
}

static void
call_fini(struct call *call)
{
	for (size_t i = 0; i < call->count; i++)
		free(call->words[i]);
	free(call->environment);
}

/* ---- start and end ---- */

static void
become(const struct call *call, int fd)
{
	char text[16];

	setpgid(0, 0);
	if (dup2(fd, 3) < 0 || dup2(STDERR_FILENO, STDOUT_FILENO) < 0)
		_exit(127);
	if (fd != 3)
		close(fd);
	snprintf(text, sizeof text, "%d", 3);
	setenv("STEPMILL_FD", text, 1);
	if (call->environment != NULL)
		putenv(call->environment);
	execvp(call->words[0], call->words);
	fprintf(stderr, "%s: %s\n", call->words[0], strerror(errno));
	_exit(127);
}

static int
start(const struct call *call, struct started *started, struct err *err)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		return err_errno(err, "a channel");
	fflush(stdout);
	started->pid = fork();
	if (started->pid == 0)
		become(call, ends[1]);
	close(ends[1]);
	started->fd = ends[0];
	if (started->pid > 0)
		return 0;
	close(ends[0]);
	return err_errno(err, "a process");
}

static void
remove_folder(struct started *started)
{
	char *file;

	if (started->folder == NULL)
		return;
	file = xprintf("%s/program.mjs", started->folder);
	unlink(file);
	rmdir(started->folder);
	free(file);
	free(started->folder);
	started->folder = NULL;
}

int
program_start(const char *path, struct started *started, struct err *err)
{
	char *whole = realpath(path, NULL);
	struct call call = { 0 };
	int result = -1;

	*started = (struct started){ .fd = -1 };
	if (whole == NULL)
		err_errno(err, "%s", path);
	else if (call_of(&call, whole, started, err) == 0)
		result = start(&call, started, err);
	if (result < 0)
		remove_folder(started);
	call_fini(&call);
	free(whole);
	return result;
}

int
program_stop(struct started *started)
{
	int status = 0;

	close(started->fd);
	kill(-started->pid, SIGKILL);
	kill(started->pid, SIGKILL);
	waitpid(started->pid, &status, 0);
	remove_folder(started);
	return status;
}
