/*
 * A worker's folder is made under a passing name, locked, then renamed: whoever sees
 * the final name can trust the lock. Not for the folders of runs.
 */
#include "temp_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/xalloc.h"

#define PREFIX     "stepmill-"
#define UNLOCKED   "stepmill-new-"
#define SUFFIX_LEN 6
#define SMALL      32 /* entries removed in one go */

static const char *
base_folder(void)
{
	const char *base = getenv("TMPDIR");

	return base != NULL && base[0] == '/' ? base : "/tmp";
}

static int
open_locked(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return -1;
	if (fstat(fd, &st) == 0 && st.st_uid == geteuid() &&
	    flock(fd, LOCK_EX | LOCK_NB) == 0)
		return fd;
	close(fd);
	return -1;
}

char *
temp_folder_new(int *lock, struct err *err)
{
	char *passing = xprintf("%s/" UNLOCKED "XXXXXX", base_folder());
	char *path = NULL;

	if (mkdtemp(passing) == NULL) {
		err_errno(err, "cannot make a folder in %s", base_folder());
		goto out;
	}
	path = xprintf("%s/" PREFIX "%s", base_folder(),
		       passing + strlen(passing) - SUFFIX_LEN);
	*lock = open_locked(passing);
	/* Others may pass through it (worker.user), nobody else can look into it. */
	if (*lock < 0 || fchmod(*lock, 0711) < 0 || rename(passing, path) < 0) {
		err_errno(err, "cannot prepare the folder %s", path);
		rmdir(passing);
		free(path);
		path = NULL;
	}
out:
	free(passing);
	return path;
}

void
temp_folder_free(char **folder_p, int *lock)
{
	if (*folder_p == NULL)
		return;
	rmdir(*folder_p);
	close(*lock);
	*lock = -1;
	free(*folder_p);
	*folder_p = NULL;
}

void
temp_folder_sweep(const char *folder, void (*remove)(void *context, const char *path),
		  void *context)
{
	const char *own = strrchr(folder, '/') + 1;
	DIR *dir = opendir(base_folder());
	struct dirent *entry;

	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		char *path;
		int fd;

		if (strncmp(entry->d_name, PREFIX, strlen(PREFIX)) != 0 ||
		    strlen(entry->d_name) != strlen(PREFIX) + SUFFIX_LEN ||
		    strcmp(entry->d_name, own) == 0)
			continue;
		path = xprintf("%s/%s", base_folder(), entry->d_name);
		fd = open_locked(path);
		if (fd >= 0) {
			remove(context, path);
			close(fd);
		}
		free(path);
	}
	if (dir != NULL)
		closedir(dir);
}

/* The files of one folder, at most SMALL. */
static void
remove_files(DIR *dir)
{
	struct dirent *entry;
	int count = 0;

	while (count < SMALL && (entry = readdir(dir)) != NULL) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (unlinkat(dirfd(dir), entry->d_name, 0) < 0)
			unlinkat(dirfd(dir), entry->d_name, AT_REMOVEDIR);
		count++;
	}
}

bool
temp_folder_remove_small(const char *path)
{
	DIR *dir;
	int fd;

	if (rmdir(path) == 0 || errno == ENOENT)
		return true;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	dir = fd >= 0 ? fdopendir(fd) : NULL;
	if (dir == NULL) {
		if (fd >= 0)
			close(fd);
		return false;
	}
	remove_files(dir);
	closedir(dir);
	return rmdir(path) == 0;
}
