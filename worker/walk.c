/*
 * The walk: a stack of open folders, each with its names read and sorted at once. What
 * disappears meanwhile is passed over.
 */
#include "walk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/xalloc.h"

struct level {
	int fd;
	char **names;
	size_t count, at;
	size_t path_len; /* of the path up to here */
};

struct walk {
	struct level levels[WALK_DEPTH_MAX];
	int depth; /* levels in use */
	bool deep;
	bool entering; /* the entry told last is a folder to go into */
	bool started;
	struct buf path;
};

struct walk *
walk_new(int folder, bool deep)
{
	struct walk *walk = xcalloc(1, sizeof *walk);

	walk->levels[0].fd = folder;
	walk->depth = 1;
	walk->deep = deep;
	return walk;
}

static void
level_fini(struct level *level)
{
	for (size_t i = 0; i < level->count; i++)
		free(level->names[i]);
	free(level->names);
	if (level->fd >= 0)
		close(level->fd);
	*level = (struct level){ .fd = -1 };
}

void
walk_free(struct walk **walk_p)
{
	struct walk *walk = *walk_p;

	if (walk == NULL)
		return;
	*walk_p = NULL;
	while (walk->depth > 0)
		level_fini(&walk->levels[--walk->depth]);
	buf_fini(&walk->path);
	free(walk);
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int
add_name(struct level *level, size_t *capacity, const char *name, struct err *err)
{
	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return 0;
	if (level->count == WALK_ENTRIES_MAX)
		return err_set(err, ERR_LIMIT, "a folder has more than %d entries",
			       WALK_ENTRIES_MAX);
	if (level->count == *capacity) {
		*capacity = *capacity * 2 + 64;
		level->names = xrealloc(level->names, *capacity, sizeof *level->names);
	}
	level->names[level->count++] = xstrdup(name);
	return 0;
}

static int
read_names(struct level *level, struct err *err)
{
	int copy = fcntl(level->fd, F_DUPFD_CLOEXEC, 0);
	DIR *dir = copy >= 0 ? fdopendir(copy) : NULL;
	struct dirent *entry;
	size_t capacity = 0;
	int result = 0;

	if (dir == NULL) {
		if (copy >= 0)
			close(copy);
		return err_errno(err, "reading a folder");
	}
	while (result == 0 && (entry = readdir(dir)) != NULL)
		result = add_name(level, &capacity, entry->d_name, err);
	closedir(dir);
	if (level->count > 0)
		qsort(level->names, level->count, sizeof *level->names, by_name);
	return result;
}

static int
enter(struct walk *walk, struct err *err)
{
	struct level *top = &walk->levels[walk->depth - 1], *level;
	int fd = openat(top->fd, top->names[top->at],
			O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP)) {
		top->at++; /* gone, or something else by now */
		return 0;
	}
	if (fd < 0)
		return err_errno(err, "\"%.300s\"", buf_text(&walk->path));
	if (walk->depth == WALK_DEPTH_MAX) {
		close(fd);
		return err_set(err, ERR_LIMIT, "folders are nested deeper than %d",
			       WALK_DEPTH_MAX);
	}
	level = &walk->levels[walk->depth++];
	*level = (struct level){ .fd = fd, .path_len = walk->path.len };
	return read_names(level, err);
}

static void
set_path(struct walk *walk, const struct level *level, const char *name)
{
	walk->path.len = level->path_len;
	if (level->path_len > 0)
		buf_char(&walk->path, '/');
	buf_str(&walk->path, name);
}

/* The next name of the innermost folder that is still there. */
static bool
tell(struct walk *walk, struct level *level, struct walk_entry *entry)
{
	for (; level->at < level->count; level->at++) {
		const char *name = level->names[level->at];

		if (fstatat(level->fd, name, &entry->st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		set_path(walk, level, name);
		entry->path = buf_text(&walk->path);
		entry->name = name;
		entry->folder = level->fd;
		entry->leaving = false;
		walk->entering = walk->deep && S_ISDIR(entry->st.st_mode);
		if (!walk->entering)
			level->at++;
		return true;
	}
	return false;
}

/* Back to the folder above: the one that was left is told again. */
static void
leave(struct walk *walk, struct walk_entry *entry)
{
	struct level *level = &walk->levels[--walk->depth];
	struct level *above = level - 1;

	level_fini(level);
	set_path(walk, above, above->names[above->at]);
	*entry = (struct walk_entry){ .path = buf_text(&walk->path),
				      .name = above->names[above->at],
				      .folder = above->fd,
				      .leaving = true };
	entry->st.st_mode = S_IFDIR;
	above->at++;
}

int
walk_next(struct walk *walk, struct walk_entry *entry, struct err *err)
{
	if (!walk->started) {
		walk->started = true;
		if (read_names(&walk->levels[0], err) < 0)
			return -1;
	}
	if (walk->entering) {
		walk->entering = false;
		if (enter(walk, err) < 0)
			return -1;
	}
	if (tell(walk, &walk->levels[walk->depth - 1], entry))
		return 1;
	if (walk->depth == 1)
		return 0;
	leave(walk, entry);
	return 1;
}
