/*
 * Finds children by the kernel's own list of them. A pid in that list cannot have been
 * given to somebody else, for only we can reap it.
 */
#include "pool/orphans.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/buf.h"

#define LIST_MAX (1024 * 1024) /* bytes of pids that are read at a time */
#define CHUNK    16384

struct search {
	orphans_known_fn *known;
	void *context;
	int found;
};

int
orphans_adopt(struct err *err)
{
	if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0)
		return err_errno(err, "cannot become the reaper of orphans");
	return 0;
}

static void
judge(struct search *search, pid_t pid)
{
	if (pid <= 1 || search->known(search->context, pid))
		return;
	search->found++;
	kill(pid, SIGKILL);
}

/* Reads a small file of /proc as far as the limit. */
static int
read_file(const char *path, struct buf *out)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len = 1;

	if (fd < 0)
		return -1;
	while (len > 0 && out->len < LIST_MAX) {
		len = read(fd, buf_reserve(out, CHUNK), CHUNK);
		if (len > 0)
			buf_grow(out, (size_t)len);
	}
	close(fd);
	return len < 0 ? -1 : 0;
}

/* The children of one thread of ours: pids with blanks between them. */
static int
search_thread(struct search *search, const char *thread)
{
	struct buf list = { 0 };
	char path[64], *next;
	int result;

	snprintf(path, sizeof path, "/proc/self/task/%.16s/children", thread);
	result = read_file(path, &list);
	for (const char *at = buf_text(&list); result == 0; at = next) {
		long pid = strtol(at, &next, 10);

		if (next == at)
			break;
		judge(search, (pid_t)pid);
	}
	buf_fini(&list);
	return result;
}

int
orphans_kill(orphans_known_fn *known, void *context)
{
	struct search search = { known, context, 0 };
	DIR *threads = opendir("/proc/self/task");
	struct dirent *entry;
	int result = 0;

	if (threads == NULL)
		return -1;
	while (result == 0 && (entry = readdir(threads)) != NULL)
		if (entry->d_name[0] != '.')
			result = search_thread(&search, entry->d_name);
	closedir(threads);
	return result < 0 ? -1 : search.found;
}
