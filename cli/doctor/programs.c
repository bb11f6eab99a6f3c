/* Programs that steps and stepmill itself need: where they are and which version. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "clock.h"
#include "doctor/doctor.h"

#define PATIENCE (5 * USEC_SECOND)

static const struct {
	const char *name, *package, *without;
} needed[] = {
	{ "node", "nodejs", "code steps in javascript fail" },
	{ "python3", "python3", "code steps in python fail" },
	{ "git", "git", "the git.* tools fail" },
};

/* The first of that name in PATH; the caller's. */
static char *
find_program(const char *name)
{
	const char *path = getenv("PATH");
	char *copy = xstrdup(path != NULL ? path : "/usr/local/bin:/usr/bin:/bin");
	char *rest = copy, *folder, *found = NULL;

	if (strchr(name, '/') != NULL && access(name, X_OK) == 0)
		found = xstrdup(name);
	while (strchr(name, '/') == NULL && found == NULL &&
	       (folder = strsep(&rest, ":")) != NULL) {
		char *whole = xprintf("%s/%s", *folder ? folder : ".", name);

		if (access(whole, X_OK) == 0)
			found = whole;
		else
			free(whole);
	}
	free(copy);
	return found;
}

static size_t
read_some(int fd, char *out, size_t size, usec_t patience)
{
	usec_t until = clock_mono() + patience, left;
	struct pollfd wait = { .fd = fd, .events = POLLIN };
	size_t len = 0;
	ssize_t got = 1;

	while (got > 0 && len < size && (left = until - clock_mono()) > 0) {
		if (poll(&wait, 1, (int)(left / USEC_MS) + 1) <= 0)
			break;
		got = read(fd, out + len, size - len);
		len += got > 0 ? (size_t)got : 0;
	}
	return len;
}

/* The first line that "PROGRAM --version" prints; empty: it prints none in time. */
static void
ask_version(const char *path, char *out, size_t size)
{
	const char *argv[] = { path, "--version", NULL };
	posix_spawn_file_actions_t actions;
	int pipe_fds[2], status;
	pid_t pid;
	size_t len = 0;

	out[0] = '\0';
	if (pipe2(pipe_fds, O_CLOEXEC) < 0)
		return;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, pipe_fds[1], 1);
	posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
	if (posix_spawn(&pid, path, &actions, NULL, (char *const *)argv, environ) ==
	    0) {
		close(pipe_fds[1]);
		pipe_fds[1] = -1;
		len = read_some(pipe_fds[0], out, size - 1, PATIENCE);
		kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
	}
	posix_spawn_file_actions_destroy(&actions);
	close(pipe_fds[0]);
	if (pipe_fds[1] >= 0)
		close(pipe_fds[1]);
	out[len] = '\0';
	out[strcspn(out, "\r\n")] = '\0';
}

/* Whether it starts, and what it can do, its worker finds out. */
static void
check_mcp(struct doctor *doctor, const struct mcp_server *server)
{
	char *check = xprintf("mcp.%s", server->name), *path;
	const char *name;

	if (server->command.count > 0) {
		name = server->command.list[0];
		path = strchr(name, '/') != NULL
			   ? (access(name, X_OK) == 0 ? xstrdup(name) : NULL)
			   : find_program(name);
		if (path != NULL)
			doctor_add(doctor, check, FINDING_OK, NULL, "%s", path);
		else
			doctor_add(doctor, check, FINDING_WARN,
				   "install it, or correct mcp in stepmill.yaml",
				   "there is no program \"%s\": its tools fail", name);
		free(path);
	} else {
		doctor_add(doctor, check, FINDING_OK, NULL, "%s", server->url);
	}
	free(check);
}

/* One of the agents of the configuration: whether it is here, and which. */
static bool
check_agent(struct doctor *doctor, const struct agent *agent)
{
	char *path = find_program(agent_program(agent)), *check;
	char version[200];

	if (path == NULL)
		return false;
	check = xprintf("agent %s", agent->name);
	ask_version(path, version, sizeof version);
	if (version[0] != '\0')
		doctor_add(doctor, check, FINDING_OK, NULL, "%s (%s)", version, path);
	else
		doctor_add(doctor, check, FINDING_WARN,
			   "run it by hand to see what is wrong",
			   "%s does not say its version", path);
	free(check);
	free(path);
	return true;
}

/* Nobody needs all of them, so one that is not here is nothing to look at. */
void
doctor_agents(struct doctor *doctor)
{
	const struct agents *agents = &doctor->install->settings->agents;
	struct buf missing = { 0 };

	for (size_t i = 0; i < agents->count; i++)
		if (!check_agent(doctor, &agents->list[i]))
			buf_printf(&missing, "%s %s", missing.len > 0 ? "," : "",
				   agents->list[i].name);
	if (missing.len > 0)
		doctor_add(doctor, "agents", FINDING_OK, NULL,
			   "not in PATH, steps with them fail:%s", buf_text(&missing));
	buf_fini(&missing);
}

static void
check_program(struct doctor *doctor, size_t i)
{
	char *path = find_program(needed[i].name), *fix;
	char version[200];

	if (path != NULL) {
		ask_version(path, version, sizeof version);
		if (version[0] != '\0')
			doctor_add(doctor, needed[i].name, FINDING_OK, NULL, "%s (%s)",
				   version, path);
		else
			doctor_add(doctor, needed[i].name, FINDING_WARN,
				   "run it by hand to see what is wrong",
				   "%s does not say its version", path);
	} else {
		fix = xprintf("apt-get install %s", needed[i].package);
		doctor_add(doctor, needed[i].name, FINDING_WARN, fix, "not in PATH: %s",
			   needed[i].without);
		free(fix);
	}
	free(path);
}

/* They are started from the folder of this very program. */
static void
check_own(struct doctor *doctor)
{
	static const char *const names[] = { "stepmill-supervisor", "stepmill-worker",
					     "stepmill-scheduler", "stepmill-init" };
	char folder[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", folder, sizeof folder - 1);
	struct buf missing = { 0 };

	folder[len > 0 ? len : 0] = '\0';
	if (strrchr(folder, '/') != NULL)
		*strrchr(folder, '/') = '\0';
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		char *path = xprintf("%s/%s", folder, names[i]);

		if (access(path, X_OK) < 0)
			buf_printf(&missing, " %s", names[i]);
		free(path);
	}
	if (missing.len == 0)
		doctor_add(doctor, "stepmill", FINDING_OK, NULL, "%s in %s",
			   STEPMILL_VERSION, folder);
	else
		doctor_add(doctor, "stepmill", FINDING_FAIL,
			   "install all of stepmill's programs into one folder",
			   "missing beside this program:%s", buf_text(&missing));
	buf_fini(&missing);
}

void
doctor_programs(struct doctor *doctor)
{
	check_own(doctor);
	for (size_t i = 0; i < sizeof needed / sizeof *needed; i++)
		check_program(doctor, i);
	for (size_t i = 0; i < doctor->install->settings->mcp.count; i++)
		check_mcp(doctor, &doctor->install->settings->mcp.list[i]);
}
