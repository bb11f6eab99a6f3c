/*
 * Removes a folder and all that is in it, without following a link and without limits
 * of depth on the stack of a worker. A program may have taken rights away from its own
 * folders: they are given back first.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "init/parts.h"

#define DEPTH_MAX 2000 /* a descriptor each */

static int remove_entry(int parent, const char *name, int depth);

static int
remove_contents(int fd, int depth)
{
	DIR *dir = fdopendir(fd);
	struct dirent *entry;
	int result = 0;

	if (dir == NULL) {
		close(fd);
		return -1;
	}
	while ((entry = readdir(dir)) != NULL) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (remove_entry(dirfd(dir), entry->d_name, depth + 1) < 0)
			result = -1;
	}
	closedir(dir);
	return result;
}

static int
remove_entry(int parent, const char *name, int depth)
{
	int fd;

	if (unlinkat(parent, name, 0) == 0 || errno == ENOENT)
		return 0;
	if ((errno != EISDIR && errno != EPERM) || depth > DEPTH_MAX)
		return -1;
	fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && errno == EACCES && fchmodat(parent, name, 0700, 0) == 0)
		fd = openat(parent, name,
			    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -1;
	fchmod(fd, 0700);
	remove_contents(fd, depth);
	return unlinkat(parent, name, AT_REMOVEDIR);
}

int
folder_remove(const char *path)
{
	return remove_entry(AT_FDCWD, path, 0);
}
