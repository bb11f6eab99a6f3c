/* Making HOME, and filling it. See home.h. */
#include "agent/home.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "programs.h"
#include "step_log.h"

#define FOLDER_MODE 0700
#define FILE_MODE   0600
#define PIECE       (64 * 1024)

static int
give_away(const struct home *home, int fd, struct err *err)
{
	const struct program_user *user = &home->programs->user;

	if (user->is_set && fchown(fd, user->uid, user->gid) < 0)
		return err_errno(err, "cannot hand a file over to worker.user");
	return 0;
}

/* Each folder above path, from the top. */
static int
make_folders(const struct home *home, const char *path, struct err *err)
{
	for (const char *slash = strchr(path, '/'); slash != NULL;
	     slash = strchr(slash + 1, '/')) {
		char *folder = xstrndup(path, (size_t)(slash - path));
		int fd = files_make_folder(home->path, folder, FOLDER_MODE, err);
		int result = fd < 0 ? -1 : give_away(home, fd, err);

		if (fd >= 0)
			close(fd);
		free(folder);
		if (result < 0)
			return -1;
	}
	return 0;
}

int
home_open_new(const struct home *home, const char *path, struct new_file *file,
	      struct err *err)
{
	if (make_folders(home, path, err) < 0 ||
	    new_file_open(file, home->path, path, FILE_MODE, err) < 0)
		return -1;
	return give_away(home, file->fd, err);
}

/* ---- files of the configuration ---- */

static char *
source_path(const struct attempt *attempt, const char *text)
{
	const struct program_user *user = &attempt->services->programs->user;
	const char *home = user->is_set ? user->home : NULL;

	if (strncmp(text, "~/", 2) != 0)
		return xstrdup(text);
	for (char *const *at = attempt->services->environment;
	     home == NULL && at != NULL && *at != NULL; at++)
		if (strncmp(*at, "HOME=", 5) == 0)
			home = *at + 5;
	return xprintf("%s%s", home != NULL ? home : "/nonexistent", text + 1);
}

static int
copy_all(int from, struct new_file *to, struct err *err)
{
	char piece[PIECE];
	size_t size = 0;
	ssize_t got;

	while ((got = read(from, piece, sizeof piece)) > 0) {
		size += (size_t)got;
		if (size > HOME_FILE_MAX)
			return err_set(err, ERR_LIMIT, "more than 16 MiB");
		if (new_file_write(to, piece, (size_t)got, err) < 0)
			return -1;
	}
	if (got < 0)
		return err_errno(err, "reading");
	return new_file_commit(to, err);
}

/* A fifo or a device must not hang the worker. */
static int
open_source(const char *path, struct err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;

	if (fd < 0) {
		err_errno(err, "opening");
		if (errno == ENOENT || errno == ENOTDIR)
			err->kind = ERR_NOT_FOUND;
		return -1;
	}
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		return fd;
	close(fd);
	return err_set(err, ERR_INPUT, "not a file");
}

static int
put_file(const struct home *home, const struct attempt *attempt, const char *path,
	 const char *text, struct err *err)
{
	struct new_file to = { .fd = -1, .folder = -1 };
	char *source = source_path(attempt, text);
	int from = open_source(source, err), result = -1;

	if (from >= 0 && home_open_new(home, path, &to, err) == 0)
		result = copy_all(from, &to, err);
	if (result < 0 && err->kind == ERR_NOT_FOUND) {
		step_log_printf(attempt->log, STEP_DEBUG, "there is no %s for HOME",
				text);
		err_clear(err);
		result = 0;
	} else if (result < 0) {
		err_in(err, "%s", text);
	}
	if (from >= 0)
		close(from);
	new_file_fini(&to);
	free(source);
	return result;
}

int
home_init(struct home *home, const struct attempt *attempt, const struct agent *agent,
	  struct err *err)
{
	*home = (struct home){ .programs = attempt->services->programs };
	home->path = programs_folder_new(home->programs, err);
	if (home->path == NULL)
		return -1;
	for (struct json_iter it = json_iter(agent->files); json_next(&it);)
		if (put_file(home, attempt, it.key, json_str(it.value), err) < 0)
			return -1;
	return 0;
}

void
home_fini(struct home *home)
{
	if (home->programs != NULL)
		programs_folder_drop(home->programs, &home->path);
	*home = (struct home){ 0 };
}
