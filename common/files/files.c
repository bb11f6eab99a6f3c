/*
 * The one place where paths of a project are opened. A file is first opened as a mere
 * name (O_PATH), looked at, and only then opened for good: a pipe or a device is never
 * touched.
 */
#include "files/files.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "digest/digest.h"
#include "files/path_core.h"

#define TRIES 16 /* the kernel asks for another try when names change meanwhile */

static int
fail(const char *path, int error, struct err *err)
{
	static const struct {
		int error;
		enum err_kind kind;
		const char *text;
	} known[] = {
		{ ENOENT, ERR_NOT_FOUND, "there is no such file" },
		{ EXDEV, ERR_DENIED, "a link leads out of the project" },
		{ ELOOP, ERR_DENIED, "a link leads nowhere or out of the project" },
		{ EACCES, ERR_DENIED, "no right to open it" },
		{ EPERM, ERR_DENIED, "no right to do this" },
		{ EROFS, ERR_DENIED, "the file system is read-only" },
		{ ENOTDIR, ERR_INPUT, "something on the way is not a folder" },
		{ EISDIR, ERR_INPUT, "it is a folder" },
		{ ENAMETOOLONG, ERR_INPUT, "the name is too long" },
		{ ENOTEMPTY, ERR_CONFLICT, "the folder is not empty" },
		{ EEXIST, ERR_CONFLICT, "something else has this name" },
		{ ENOSPC, ERR_RETRY, "the disk is full" },
		{ EDQUOT, ERR_RETRY, "the quota of the disk is used up" },
	};

	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
		if (known[i].error == error)
			return err_set(err, known[i].kind, "\"%.300s\": %s", path,
				       known[i].text);
	return err_set(err, ERR_SYSTEM, "\"%.300s\": %s", path, strerror(error));
}

static int
open_beneath(int root, const char *path, int flags)
{
	struct open_how how = {
		.flags = (unsigned)(flags | O_CLOEXEC),
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
	};
	long fd = -1;

	for (int i = 0; i < TRIES; i++) {
		fd = syscall(SYS_openat2, root, path, &how, sizeof how);
		if (fd >= 0 || (errno != EAGAIN && errno != EINTR))
			break;
	}
	return (int)fd;
}

static int
open_project(const char *project, struct err *err)
{
	int fd = open(project, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return err_set(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_SYSTEM,
			       "the project's folder %.300s: %s", project,
			       strerror(errno));
	return fd;
}

static int
open_in_project(const char *project, const char *path, int flags, struct err *err)
{
	int root = open_project(project, err), fd;

	if (root < 0)
		return -1;
	fd = open_beneath(root, path, flags);
	if (fd < 0)
		fail(path, errno, err);
	close(root);
	return fd;
}

int
files_open(const char *project, const char *path, int flags, struct err *err)
{
	int name = open_in_project(project, path, O_PATH, err), fd = -1;
	char place[64];
	struct stat st;

	if (name < 0)
		return -1;
	if (fstat(name, &st) < 0)
		fail(path, errno, err);
	else if (S_ISDIR(st.st_mode))
		fail(path, EISDIR, err);
	else if (!S_ISREG(st.st_mode))
		err_set(err, ERR_INPUT, "\"%.300s\": it is not a regular file", path);
	else {
		snprintf(place, sizeof place, "/proc/self/fd/%d", name);
		fd = open(place, flags | O_CLOEXEC | O_NOCTTY);
		if (fd < 0)
			fail(path, errno, err);
	}
	close(name);
	return fd;
}

int
files_open_folder(const char *project, const char *path, struct err *err)
{
	return open_in_project(project, path, O_RDONLY | O_DIRECTORY, err);
}

/* One part more of the path. prefix: the path up to it; name: it alone. */
static int
step_into(int root, int parent, const char *prefix, const char *name, mode_t mode)
{
	int fd = open_beneath(root, prefix, O_RDONLY | O_DIRECTORY);

	if (fd >= 0 || errno != ENOENT)
		return fd;
	if (mkdirat(parent, name, mode) < 0 && errno != EEXIST)
		return -1;
	return open_beneath(root, prefix, O_RDONLY | O_DIRECTORY);
}

int
files_make_folder(const char *project, const char *path, mode_t mode, struct err *err)
{
	int root = open_project(project, err), fd, next;
	char *prefix = xstrdup(path);

	if (root < 0) {
		free(prefix);
		return -1;
	}
	fd = open_beneath(root, ".", O_RDONLY | O_DIRECTORY);
	for (char *at = prefix; fd >= 0 && at != NULL;) {
		char *slash = strchr(at, '/');

		if (slash != NULL)
			*slash = '\0';
		next = step_into(root, fd, prefix, at, mode);
		if (slash != NULL)
			*slash = '/';
		if (next < 0)
			fail(path, errno, err);
		close(fd);
		fd = next;
		at = slash != NULL ? slash + 1 : NULL;
	}
	close(root);
	free(prefix);
	return fd;
}

int
files_open_parent(const char *project, const char *path, bool make, const char **name,
		  struct err *err)
{
	const char *slash = strrchr(path, '/');
	char *folder;
	int fd;

	if (strcmp(path, ".") == 0)
		return err_set(err, ERR_INPUT, "\"%s\": this is the project itself",
			       path);
	*name = path_name(path);
	folder = slash != NULL ? xstrndup(path, (size_t)(slash - path)) : xstrdup(".");
	fd = make ? files_make_folder(project, folder, FILES_FOLDER_MODE, err)
		  : files_open_folder(project, folder, err);
	free(folder);
	return fd;
}

int
files_stat(const char *project, const char *path, struct stat *st, struct err *err)
{
	int fd = open_in_project(project, path, O_PATH, err), result;

	if (fd < 0)
		return -1;
	result = fstat(fd, st);
	if (result < 0)
		fail(path, errno, err);
	close(fd);
	return result;
}

/* ---- new files ---- */

/* What stands under the name already decides: nothing, a file, a link, or no way. */
static int
look_at_old(struct new_file *file, mode_t *mode, const char *path, struct err *err)
{
	struct stat st;

	if (fstatat(file->folder, file->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : fail(path, errno, err);
	if (S_ISDIR(st.st_mode))
		return fail(path, EISDIR, err);
	if (S_ISLNK(st.st_mode))
		file->in_place = true;
	else if (!S_ISREG(st.st_mode))
		return err_set(err, ERR_INPUT, "\"%.300s\": it is not a regular file",
			       path);
	file->replaces = S_ISREG(st.st_mode);
	if (file->replaces)
		*mode = st.st_mode & 0777;
	return 0;
}

static int
open_passing(struct new_file *file, mode_t mode)
{
	unsigned char random[8];
	char hex[2 * sizeof random + 1];

	digest_random(random, sizeof random);
	file->passing =
	    xprintf(".stepmill-%s.tmp", digest_hex(random, sizeof random, hex));
	file->fd = openat(file->folder, file->passing,
			  O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
	if (file->fd >= 0 && file->replaces)
		fchmod(file->fd, mode); /* whatever the umask is */
	return file->fd < 0 ? -1 : 0;
}

int
new_file_open(struct new_file *file, const char *project, const char *path, mode_t mode,
	      struct err *err)
{
	const char *name;

	*file = (struct new_file){ .folder = -1, .fd = -1 };
	file->folder = files_open_parent(project, path, true, &name, err);
	if (file->folder < 0)
		return -1;
	file->name = xstrdup(name);
	if (look_at_old(file, &mode, path, err) < 0)
		goto failed;
	if (file->in_place) {
		file->fd = files_open(project, path, O_WRONLY | O_TRUNC, err);
		if (file->fd < 0)
			goto failed;
		return 0;
	}
	if (open_passing(file, mode) == 0)
		return 0;
	fail(path, errno, err);
failed:
	new_file_fini(file);
	return -1;
}

int
new_file_write(struct new_file *file, const void *data, size_t len, struct err *err)
{
	const char *at = data;

	while (len > 0) {
		ssize_t wrote = write(file->fd, at, len);

		if (wrote < 0 && errno == EINTR)
			continue;
		if (wrote <= 0)
			return fail(file->name, wrote < 0 ? errno : EIO, err);
		at += wrote;
		len -= (size_t)wrote;
	}
	return 0;
}

int
new_file_commit(struct new_file *file, struct err *err)
{
	if (file->in_place)
		return 0;
	if (renameat(file->folder, file->passing, file->folder, file->name) < 0)
		return fail(file->name, errno, err);
	free(file->passing);
	file->passing = NULL;
	return 0;
}

void
new_file_fini(struct new_file *file)
{
	if (file->fd >= 0)
		close(file->fd);
	if (file->passing != NULL)
		unlinkat(file->folder, file->passing, 0);
	if (file->folder >= 0)
		close(file->folder);
	free(file->name);
	free(file->passing);
	*file = (struct new_file){ .folder = -1, .fd = -1 };
}
