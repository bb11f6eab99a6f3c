/*
 * Folders are watched before they are read, so that nothing that happens in between is
 * missed; what is told twice is no news the second time. A walk reads a piece of a
 * folder in each turn, so that nobody waits for it. The folder in which a watched path
 * stands is watched too: the path may come, go, and be another folder.
 */
#include "file_watch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/log.h"
#include "base/utf8.h"
#include "base/xalloc.h"
#include "files/files.h"
#include "files/path_core.h"

#define ENTRIES_A_TURN 500
#define WALK_EVERY     (60 * USEC_SECOND) /* what the kernel does not tell: network */
/* Times that are set count as well: a walk could not tell them from a write. */
#define EVENTS                                                                         \
	(IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_CREATE |        \
	 IN_ATTRIB)

struct folder {
	int wd;
	char path[];
};

struct known {
	struct file_seen seen;
	unsigned walk; /* the last that met it */
};

struct file_watch {
	struct file_watch_conf conf;
	struct workflow *workflow;
	const struct trigger_def *trigger;
	int inotify; /* -1: none, only walks */
	struct watch *reader;
	struct map *folders; /* path -> folder */
	struct map *by_wd;   /* int -> the same */
	struct map *known;   /* path -> known */
	struct debounce pending;
	/* the walk */
	struct timer *walker, *next_walk;
	char **to_walk;
	size_t to_walk_count;
	DIR *dir; /* being read, of the path: */
	char *dir_path;
	unsigned walk;
	bool walking, whole, limited;
};

static void walk_on(void *context);

/* Once: what is past a limit is not told for each. */
static void
note_limit(struct file_watch *watch, const char *why)
{
	if (watch->limited)
		return;
	watch->limited = true;
	log_warn("file_watch.limited", F_STR("workflow", watch->conf.workflow),
		 F_STR("why", why));
}

/* ---- paths ---- */

static char *
join(const char *folder, const char *name)
{
	return strcmp(folder, ".") == 0 ? xstrdup(name)
					: xprintf("%s/%s", folder, name);
}

static char *
parent_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? xstrndup(path, (size_t)(slash - path)) : xstrdup(".");
}

static bool
stands_in(const char *path, const char *folder)
{
	size_t len = strlen(folder);

	return strncmp(path, folder, len) == 0 &&
	       (path[len] == '/' || path[len] == '\0');
}

/* ---- what is there ---- */

static void
seen_of(const struct stat *st, struct file_seen *seen)
{
	*seen = (struct file_seen){
		.mtime_ns =
		    (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec,
		.size = st->st_size,
		.inode = (int64_t)st->st_ino,
	};
}

/* A regular file, not through a link. */
static bool
look_at(const struct file_watch *watch, const char *path, struct stat *st)
{
	const char *name;
	struct err err = { 0 };
	int folder =
	    files_open_parent(watch->conf.project_path, path, false, &name, &err);
	bool there;

	if (folder < 0)
		return false;
	there =
	    fstatat(folder, name, st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st->st_mode);
	close(folder);
	return there;
}

static const struct file_seen *
known_of(const struct file_watch *watch, const char *path)
{
	const struct known *known = map_get(watch->known, path, strlen(path));

	return known != NULL ? &known->seen : NULL;
}

static void
touch(struct file_watch *watch, const char *path)
{
	size_t len = strlen(path);

	if (len > PATH_BYTES_MAX || !utf8_valid(path, len)) {
		note_limit(watch,
			   "a path of more than 4000 bytes, or that is no UTF-8, "
			   "is left out");
		return;
	}
	if (known_of(watch, path) == NULL &&
	    map_count(watch->known) + debounce_count(&watch->pending) >=
		FILE_WATCH_FILES_MAX) {
		note_limit(watch, "more than 100000 files");
		return;
	}
	debounce_touch(&watch->pending, path, loop_mono(watch->conf.loop));
	watch->conf.wake(watch->conf.context);
}

/* ---- folders ---- */

static void
folder_gone(struct file_watch *watch, struct folder *folder)
{
	map_remove(watch->folders, folder->path, strlen(folder->path));
	map_remove(watch->by_wd, &folder->wd, sizeof folder->wd);
	free(folder);
}

/* The kernel has one watch per folder, under whatever path: the newest counts. */
static void
watch_folder(struct file_watch *watch, const char *path, int fd)
{
	char name[64];
	struct folder *folder = map_get(watch->folders, path, strlen(path)), *former;
	int wd;

	if (watch->inotify < 0)
		return;
	if (folder == NULL && map_count(watch->folders) >= FILE_WATCH_FOLDERS_MAX) {
		note_limit(watch, "more than 8192 folders: changes in others are seen "
				  "once a minute");
		return;
	}
	snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
	wd = inotify_add_watch(watch->inotify, name, EVENTS | IN_ONLYDIR);
	if (wd < 0) {
		note_limit(watch, errno == ENOSPC
				      ? "the system's limit of watches is reached "
					"(fs.inotify.max_user_watches): changes in "
					"others are seen once a minute"
				      : strerror(errno));
		return;
	}
	former = map_get(watch->by_wd, &wd, sizeof wd);
	if (former != NULL && strcmp(former->path, path) == 0)
		return;
	if (former != NULL)
		folder_gone(watch, former);
	folder = map_get(watch->folders, path, strlen(path));
	if (folder != NULL)
		folder_gone(watch, folder);
	folder = xcalloc(1, sizeof *folder + strlen(path) + 1);
	folder->wd = wd;
	memcpy(folder->path, path, strlen(path));
	map_put(watch->folders, path, strlen(path), folder);
	map_put(watch->by_wd, &wd, sizeof wd, folder);
}

static void
push_folder(struct file_watch *watch, char *path /* taken */)
{
	watch->to_walk =
	    xrealloc(watch->to_walk, watch->to_walk_count + 1, sizeof *watch->to_walk);
	watch->to_walk[watch->to_walk_count++] = path;
	watch->walking = true;
	timer_set(watch->walker, 0);
}

/* It was moved away or deleted: its watches would tell of wrong paths. */
static void
leave_folder(struct file_watch *watch, const char *path)
{
	size_t cursor = 0, len;
	const void *key;
	void *value;

	while (map_next(watch->folders, &cursor, NULL, NULL, &value)) {
		struct folder *folder = value;

		if (!stands_in(folder->path, path))
			continue;
		inotify_rm_watch(watch->inotify, folder->wd);
		folder_gone(watch, folder);
	}
	for (cursor = 0; map_next(watch->known, &cursor, &key, &len, &value);) {
		char *file = xstrndup(key, len);

		if (stands_in(file, path))
			touch(watch, file);
		free(file);
	}
}

/* ---- walks ---- */

static void
meet_file(struct file_watch *watch, const char *path, const struct stat *st)
{
	struct known *known = map_get(watch->known, path, strlen(path));
	struct file_seen seen;

	seen_of(st, &seen);
	if (known != NULL)
		known->walk = watch->walk;
	if (file_news(known != NULL ? &known->seen : NULL, &seen) != FILE_NO_NEWS)
		touch(watch, path);
}

static void
meet_entry(struct file_watch *watch, const char *name)
{
	const struct trigger_watch *wanted = &watch->trigger->watch;
	struct stat st;
	char *path;

	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
	    fstatat(dirfd(watch->dir), name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return;
	path = join(watch->dir_path, name);
	if (S_ISDIR(st.st_mode) && file_watch_enters(wanted, path))
		push_folder(watch, xstrdup(path));
	else if (S_ISREG(st.st_mode) && file_watch_wants(wanted, path))
		meet_file(watch, path, &st);
	free(path);
}

static void
end_folder(struct file_watch *watch)
{
	if (watch->dir != NULL)
		closedir(watch->dir);
	free(watch->dir_path);
	watch->dir = NULL;
	watch->dir_path = NULL;
}

/* One that is only above a watched path is watched, not read. */
static void
begin_folder(struct file_watch *watch, char *path /* taken */)
{
	struct err err = { 0 };
	struct stat st;
	int fd = files_open_folder(watch->conf.project_path, path, &err);

	watch->dir_path = path;
	if (fd < 0 && file_watch_wants(&watch->trigger->watch, path) &&
	    look_at(watch, path, &st))
		meet_file(watch, path, &st);
	if (fd >= 0)
		watch_folder(watch, path, fd);
	if (fd >= 0 && file_watch_covers(&watch->trigger->watch, path))
		watch->dir = fdopendir(fd);
	else if (fd >= 0)
		close(fd);
	if (watch->dir == NULL)
		end_folder(watch);
}

/* What a whole walk did not meet is not there any more. */
static void
end_walk(struct file_watch *watch)
{
	size_t cursor = 0, len;
	const void *key;
	void *value;

	watch->walking = false;
	while (watch->whole && map_next(watch->known, &cursor, &key, &len, &value)) {
		char *path = xstrndup(key, len);

		if (((struct known *)value)->walk != watch->walk)
			touch(watch, path);
		free(path);
	}
	watch->whole = false;
	timer_set(watch->next_walk, WALK_EVERY);
	watch->conf.wake(watch->conf.context);
}

static void
walk_on(void *context)
{
	struct file_watch *watch = context;

	for (int i = 0; i < ENTRIES_A_TURN; i++) {
		struct dirent *entry;

		if (watch->dir == NULL && watch->to_walk_count == 0) {
			end_walk(watch);
			return;
		}
		if (watch->dir == NULL) {
			begin_folder(watch, watch->to_walk[--watch->to_walk_count]);
			continue;
		}
		entry = readdir(watch->dir);
		if (entry != NULL)
			meet_entry(watch, entry->d_name);
		else
			end_folder(watch);
	}
	timer_set(watch->walker, 0);
}

static void
drop_walk(struct file_watch *watch)
{
	end_folder(watch);
	while (watch->to_walk_count > 0)
		free(watch->to_walk[--watch->to_walk_count]);
}

void
file_watch_walk(struct file_watch *watch)
{
	const struct trigger_texts *paths = &watch->trigger->watch.paths;

	drop_walk(watch);
	watch->walk++;
	watch->whole = true;
	for (size_t i = 0; i < paths->count; i++) {
		push_folder(watch, xstrdup(paths->list[i]));
		if (strcmp(paths->list[i], ".") != 0)
			push_folder(watch, parent_of(paths->list[i]));
	}
}

bool
file_watch_is_walking(const struct file_watch *watch)
{
	return watch->walking;
}

static void
on_next_walk(void *context)
{
	file_watch_walk(context);
}

/* ---- what the kernel tells ---- */

static void
on_folder_event(struct file_watch *watch, uint32_t mask, const char *path)
{
	if ((mask & (IN_MOVED_FROM | IN_DELETE)) != 0)
		leave_folder(watch, path);
	else if ((mask & (IN_MOVED_TO | IN_CREATE)) != 0 &&
		 file_watch_enters(&watch->trigger->watch, path))
		push_folder(watch, xstrdup(path));
}

/* A file that is only made is not complete before it is closed. */
static void
on_event(struct file_watch *watch, const struct inotify_event *event)
{
	const struct folder *folder =
	    map_get(watch->by_wd, &event->wd, sizeof event->wd);
	char *path;

	if ((event->mask & IN_Q_OVERFLOW) != 0) {
		log_info("file_watch.overflowed",
			 F_STR("workflow", watch->conf.workflow));
		file_watch_walk(watch);
		return;
	}
	if (folder == NULL)
		return;
	if ((event->mask & IN_IGNORED) != 0) {
		folder_gone(watch, (struct folder *)folder);
		return;
	}
	if (event->len == 0)
		return;
	path = join(folder->path, event->name);
	if ((event->mask & IN_ISDIR) != 0)
		on_folder_event(watch, event->mask, path);
	else if ((event->mask & ~(uint32_t)IN_CREATE) != 0 &&
		 file_watch_wants(&watch->trigger->watch, path))
		touch(watch, path);
	free(path);
}

static void
on_readable(void *context, unsigned ready)
{
	struct file_watch *watch = context;
	alignas(struct inotify_event) char events[65536];
	ssize_t len = read(watch->inotify, events, sizeof events);

	(void)ready;
	for (char *at = events; len > 0 && at < events + len;) {
		const struct inotify_event *event = (void *)at;

		on_event(watch, event);
		at += sizeof *event + event->len;
	}
}

static void
open_inotify(struct file_watch *watch)
{
	watch->inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (watch->inotify < 0) {
		note_limit(watch, "the system's limit of inotify instances is reached "
				  "(fs.inotify.max_user_instances): changes are seen "
				  "once a minute");
		return;
	}
	watch->reader =
	    watch_new(watch->conf.loop, watch->inotify, WATCH_READ, on_readable, watch);
}

/* ---- changes ---- */

usec_t
file_watch_due(const struct file_watch *watch)
{
	return debounce_next(&watch->pending);
}

/* Written to a moment ago, and perhaps not closed: a walk cannot tell. A time in the
 * future proves nothing. */
static bool
is_fresh(const struct file_watch *watch, const struct stat *st)
{
	usec_t written = (usec_t)st->st_mtim.tv_sec * USEC_SECOND +
			 (usec_t)st->st_mtim.tv_nsec / 1000;
	usec_t age = loop_now(watch->conf.loop) - written;

	return age >= 0 && age < watch->pending.delay;
}

/* Before the watch began: what has been there is known, not news. */
static bool
is_news(const struct file_watch *watch, const struct stat *st)
{
	usec_t changed = (usec_t)st->st_ctim.tv_sec * USEC_SECOND +
			 (usec_t)st->st_ctim.tv_nsec / 1000;

	return watch->conf.since == USEC_NEVER || changed > watch->conf.since;
}

/* False: it is no news, or not yet. */
static bool
judge(struct file_watch *watch, struct file_change *change)
{
	struct stat st;
	bool there = look_at(watch, change->path, &st);

	if (there && is_fresh(watch, &st)) {
		touch(watch, change->path);
		return false;
	}
	if (there)
		seen_of(&st, &change->seen);
	change->news =
	    file_news(known_of(watch, change->path), there ? &change->seen : NULL);
	change->starts = there && is_news(watch, &st);
	return change->news != FILE_NO_NEWS;
}

size_t
file_watch_take(struct file_watch *watch, struct file_change *changes, size_t most)
{
	usec_t now = loop_mono(watch->conf.loop);
	size_t count = 0;

	while (count < most) {
		struct file_change *change = &changes[count];

		*change =
		    (struct file_change){ .path = debounce_take(&watch->pending, now) };
		if (change->path == NULL)
			break;
		if (judge(watch, change))
			count++;
		else
			free(change->path);
	}
	return count;
}

void
file_watch_know(struct file_watch *watch, const char *path,
		const struct file_seen *seen)
{
	struct known *known = map_get(watch->known, path, strlen(path));

	if (known == NULL) {
		known = xcalloc(1, sizeof *known);
		known->walk = watch->walk;
		map_put(watch->known, path, strlen(path), known);
	}
	known->seen = *seen;
}

void
file_watch_noted(struct file_watch *watch, const struct file_change *change)
{
	if (change->news == FILE_GONE)
		free(map_remove(watch->known, change->path, strlen(change->path)));
	else
		file_watch_know(watch, change->path, &change->seen);
}

void
file_watch_again(struct file_watch *watch, const struct file_change *change)
{
	touch(watch, change->path);
}

void
file_watch_forget_files(struct file_watch *watch)
{
	map_free(&watch->known, free);
	watch->known = map_new();
}

void
file_watch_begun(struct file_watch *watch)
{
	watch->conf.since = USEC_NEVER;
}

/* ---- life ---- */

void
file_watch_update(struct file_watch *watch, const struct workflow *workflow, int place)
{
	struct workflow *former = watch->workflow;

	watch->workflow = workflow_ref(workflow);
	watch->trigger = NULL;
	for (size_t i = 0; i < workflow->triggers_count; i++)
		if (workflow->triggers[i].place == place)
			watch->trigger = &workflow->triggers[i];
	if (watch->trigger == NULL || watch->trigger->kind != TRIGGER_FILE_WATCH)
		bug("trigger %d of %s is no file watch", place, workflow->name);
	workflow_free(&former);
}

const struct workflow *
file_watch_workflow(const struct file_watch *watch)
{
	return watch->workflow;
}

const struct trigger_def *
file_watch_trigger(const struct file_watch *watch)
{
	return watch->trigger;
}

struct file_watch *
file_watch_new(const struct file_watch_conf *conf, const struct workflow *workflow,
	       int place)
{
	struct file_watch *watch = xcalloc(1, sizeof *watch);

	watch->conf = *conf;
	watch->conf.workflow = xstrdup(conf->workflow);
	watch->conf.project_path = xstrdup(conf->project_path);
	watch->folders = map_new();
	watch->by_wd = map_new();
	watch->known = map_new();
	watch->walker = timer_new(conf->loop, walk_on, watch);
	watch->next_walk = timer_new(conf->loop, on_next_walk, watch);
	file_watch_update(watch, workflow, place);
	debounce_init(&watch->pending, watch->trigger->watch.debounce);
	open_inotify(watch);
	return watch;
}

void
file_watch_free(struct file_watch **watch_p)
{
	struct file_watch *watch = *watch_p;

	if (watch == NULL)
		return;
	*watch_p = NULL;
	watch_free(&watch->reader);
	if (watch->inotify >= 0)
		close(watch->inotify);
	drop_walk(watch);
	free(watch->to_walk);
	timer_free(&watch->walker);
	timer_free(&watch->next_walk);
	map_free(&watch->by_wd, NULL);
	map_free(&watch->folders, free);
	map_free(&watch->known, free);
	debounce_fini(&watch->pending);
	workflow_free(&watch->workflow);
	free((char *)watch->conf.workflow);
	free((char *)watch->conf.project_path);
	free(watch);
}
