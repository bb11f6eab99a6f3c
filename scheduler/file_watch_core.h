/*
 * What counts of the files under a watch, what is news of one, and when it has been
 * left alone long enough. Pure.
 */
#ifndef SCHEDULER_FILE_WATCH_CORE_H
#define SCHEDULER_FILE_WATCH_CORE_H

#include "base/list.h"
#include "base/map.h"
#include "engine/trigger.h"

/* A file as it was seen. */
struct file_seen {
	int64_t mtime_ns, size, inode;
};

enum file_news { FILE_NO_NEWS, FILE_CREATED, FILE_MODIFIED, FILE_GONE };

/* NULL: it was not known, or is not there. */
enum file_news file_news(const struct file_seen *known, const struct file_seen *found);
const char *file_news_name(enum file_news news); /* "created", "modified" */

/* Paths count from the project's folder, which is ".". */
/* Is it one of the watched paths, or below one? */
bool file_watch_covers(const struct trigger_watch *watch, const char *path);
/* Does a file of this path count? */
bool file_watch_wants(const struct trigger_watch *watch, const char *path);
/* Is a folder of this path looked into? Hidden ones only where a pattern names one, and
 * never those in which the engine keeps its runs. */
bool file_watch_enters(const struct trigger_watch *watch, const char *path);

/* Paths that something happened to: each waits until nothing more did for a while. */
struct debounce {
	usec_t delay;
	struct map *by_path;
	struct list queue; /* the longest alone first */
};

void debounce_init(struct debounce *debounce, usec_t delay);
void debounce_fini(struct debounce *debounce);
void debounce_touch(struct debounce *debounce, const char *path, usec_t now);
usec_t debounce_next(const struct debounce *debounce); /* USEC_NEVER: none waits */
size_t debounce_count(const struct debounce *debounce);
/* One whose time has come, the caller's; NULL: none. */
char *debounce_take(struct debounce *debounce, usec_t now);

#endif
