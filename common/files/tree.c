/*
 * From the top at each call: what was removed before costs nothing, and no descriptor
 * is kept between calls. See tree.h.
 */
#include "files/tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "files/files.h"

struct removal {
	int left;  /* entries that may still be removed in this call */
	int error; /* of errno; 0: none */
};

static enum tree_left
fail(struct removal *removal, int error)
{
	removal->error = error;
	return TREE_FAILED;
}

static enum tree_left remove_at(struct removal *removal, int folder, const char *name,
				int depth);

static bool
is_own(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* Takes the descriptor. */
static enum tree_left
empty_folder(struct removal *removal, int fd, int depth)
{
	DIR *dir = fdopendir(fd);
	enum tree_left left = TREE_GONE;
	struct dirent *entry;

	if (dir == NULL) {
		close(fd);
		return fail(removal, errno);
	}
	while (left == TREE_GONE && (entry = readdir(dir)) != NULL)
		if (!is_own(entry->d_name))
			left = remove_at(removal, dirfd(dir), entry->d_name, depth + 1);
	closedir(dir);
	return left;
}

static enum tree_left
remove_folder(struct removal *removal, int folder, const char *name, int depth)
{
	int fd;
	enum tree_left left;

	if (depth > TREE_DEPTH_MAX)
		return fail(removal, ELOOP);
	fd = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? TREE_GONE : fail(removal, errno);
	left = empty_folder(removal, fd, depth);
	if (left != TREE_GONE)
		return left;
	if (unlinkat(folder, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
		return errno == ENOTEMPTY ? TREE_MORE : fail(removal, errno);
	removal->left--;
	return TREE_GONE;
}

static enum tree_left
remove_at(struct removal *removal, int folder, const char *name, int depth)
{
	if (removal->left <= 0)
		return TREE_MORE;
	if (unlinkat(folder, name, 0) == 0) {
		removal->left--;
		return TREE_GONE;
	}
	if (errno == EISDIR || errno == EPERM)
		return remove_folder(removal, folder, name, depth);
	return errno == ENOENT ? TREE_GONE : fail(removal, errno);
}

enum tree_left
tree_remove(const char *project, const char *path, int most, struct err *err)
{
	struct removal removal = { .left = most };
	const char *name;
	int folder = files_open_parent(project, path, false, &name, err);
	enum tree_left left;

	if (folder < 0) {
		if (err->kind != ERR_NOT_FOUND)
			return TREE_FAILED;
		err_clear(err);
		return TREE_GONE;
	}
	left = remove_at(&removal, folder, name, 0);
	close(folder);
	if (left == TREE_FAILED)
		err_set(err, ERR_SYSTEM, "removing \"%.300s\": %s", path,
			strerror(removal.error));
	return left;
}
