/*
 * One pass over /proc: every process with its parent, sorted, then followed upwards.
 * Not for who a process is: a number may be somebody else's a moment later, so what is
 * done with it has to follow at once.
 */
#include "descendants.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEPTH_MAX 4096

struct process {
	pid_t pid, parent;
};

struct process_list {
	struct process *list;
	size_t count, capacity;
};

/* "PID (NAME) STATE PARENT ...": the name may hold anything, so look from behind it. */
static pid_t
parent_of(pid_t pid)
{
	char path[64], text[512], *end;
	ssize_t len;
	int fd, parent;

	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	len = read(fd, text, sizeof text - 1);
	close(fd);
	if (len <= 0)
		return -1;
	text[len] = '\0';
	end = strrchr(text, ')');
	if (end == NULL || sscanf(end + 1, " %*c %d", &parent) != 1)
		return -1;
	return parent;
}

static void
add(struct process_list *all, pid_t pid, pid_t parent)
{
	if (all->count == all->capacity) {
		size_t capacity = all->capacity * 2 + 256;
		struct process *list = realloc(all->list, capacity * sizeof *all->list);

		if (list == NULL)
			return; /* met in a later pass */
		all->list = list;
		all->capacity = capacity;
	}
	all->list[all->count++] = (struct process){ pid, parent };
}

static int
by_pid(const void *a, const void *b)
{
	return ((const struct process *)a)->pid - ((const struct process *)b)->pid;
}

static void
read_all(struct process_list *all)
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;

	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		pid_t pid = (pid_t)atoi(entry->d_name);

		if (pid > 0)
			add(all, pid, parent_of(pid));
	}
	if (dir != NULL)
		closedir(dir);
	if (all->count > 0)
		qsort(all->list, all->count, sizeof *all->list, by_pid);
}

static pid_t
parent_in(const struct process_list *all, pid_t pid)
{
	struct process key = { .pid = pid };
	const struct process *found =
	    bsearch(&key, all->list, all->count, sizeof *all->list, by_pid);

	return found != NULL ? found->parent : -1;
}

static bool
is_in(const pid_t *list, size_t count, pid_t pid)
{
	for (size_t i = 0; i < count; i++)
		if (list[i] == pid)
			return true;
	return false;
}

size_t
descendants_each(pid_t top, const pid_t *spared, size_t spared_count, descendant_fn *fn,
		 void *context)
{
	struct process_list all = { 0 };
	size_t found = 0;

	read_all(&all);
	for (size_t i = 0; i < all.count; i++) {
		pid_t at = all.list[i].pid;
		int depth = 0;

		while (at > 0 && at != top && !is_in(spared, spared_count, at) &&
		       depth++ < DEPTH_MAX)
			at = parent_in(&all, at);
		if (at != top || all.list[i].pid == top)
			continue;
		fn(context, all.list[i].pid, all.list[i].parent == top);
		found++;
	}
	free(all.list);
	return found;
}
