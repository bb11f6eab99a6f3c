/* See file_watch_core.h. */
#include "file_watch_core.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "lang/glob.h"

#define OWN_FOLDER ".agent/workflows/executions"

/* ---- news ---- */

enum file_news
file_news(const struct file_seen *known, const struct file_seen *found)
{
	if (found == NULL)
		return known == NULL ? FILE_NO_NEWS : FILE_GONE;
	if (known == NULL)
		return FILE_CREATED;
	return known->mtime_ns == found->mtime_ns && known->size == found->size &&
		       known->inode == found->inode
		   ? FILE_NO_NEWS
		   : FILE_MODIFIED;
}

const char *
file_news_name(enum file_news news)
{
	return news == FILE_CREATED ? "created" : "modified";
}

/* ---- what counts ---- */

/* What of the path is below the root: NULL, it is not; "", it is the root. */
static const char *
below(const char *root, const char *path)
{
	size_t len = strlen(root);

	if (strcmp(root, ".") == 0)
		return strcmp(path, ".") == 0 ? "" : path;
	if (strncmp(path, root, len) != 0)
		return NULL;
	return path[len] == '/' ? path + len + 1 : path[len] == '\0' ? "" : NULL;
}

static const char *
below_any(const struct trigger_watch *watch, const char *path)
{
	const char *rest, *nearest = NULL;

	for (size_t i = 0; i < watch->paths.count; i++) {
		rest = below(watch->paths.list[i], path);
		if (rest != NULL && (nearest == NULL || strlen(rest) < strlen(nearest)))
			nearest = rest;
	}
	return nearest;
}

static bool
is_hidden(const char *rest)
{
	return *rest == '.' || strstr(rest, "/.") != NULL;
}

bool
file_watch_covers(const struct trigger_watch *watch, const char *path)
{
	return below_any(watch, path) != NULL;
}

static bool
is_own(const char *path)
{
	size_t len = strlen(OWN_FOLDER);

	return strncmp(path, OWN_FOLDER, len) == 0 &&
	       (path[len] == '/' || path[len] == '\0');
}

bool
file_watch_wants(const struct trigger_watch *watch, const char *path)
{
	const char *rest = below_any(watch, path);
	bool chosen = false, any = false;

	if (rest == NULL || is_own(path))
		return false;
	for (size_t i = 0; i < watch->patterns.count; i++) {
		const char *pattern = watch->patterns.list[i];

		if (*pattern == '!') {
			if (glob_match(pattern + 1, path))
				return false;
			continue;
		}
		any = true;
		chosen = chosen || glob_match(pattern, path);
	}
	return any ? chosen : !is_hidden(rest);
}

static bool
names_hidden(const struct trigger_watch *watch)
{
	for (size_t i = 0; i < watch->patterns.count; i++)
		if (is_hidden(watch->patterns.list[i]))
			return true;
	return false;
}

bool
file_watch_enters(const struct trigger_watch *watch, const char *path)
{
	const char *rest = below_any(watch, path);

	if (rest == NULL || is_own(path))
		return false;
	return !is_hidden(rest) || names_hidden(watch);
}

/* ---- waiting ---- */

struct touched {
	struct list link;
	usec_t due;
	size_t len;
	char path[];
};

void
debounce_init(struct debounce *debounce, usec_t delay)
{
	debounce->delay = delay;
	debounce->by_path = map_new();
	list_init(&debounce->queue);
}

void
debounce_fini(struct debounce *debounce)
{
	if (debounce->by_path != NULL)
		map_free(&debounce->by_path, free);
}

void
debounce_touch(struct debounce *debounce, const char *path, usec_t now)
{
	size_t len = strlen(path);
	struct touched *touched = map_get(debounce->by_path, path, len);

	if (touched == NULL) {
		touched = xcalloc(1, sizeof *touched + len + 1);
		touched->len = len;
		memcpy(touched->path, path, len);
		map_put(debounce->by_path, path, len, touched);
	} else {
		list_remove(&touched->link);
	}
	touched->due = now + debounce->delay;
	list_push(&debounce->queue, &touched->link);
}

usec_t
debounce_next(const struct debounce *debounce)
{
	return list_empty(&debounce->queue)
		   ? USEC_NEVER
		   : container_of(debounce->queue.next, struct touched, link)->due;
}

size_t
debounce_count(const struct debounce *debounce)
{
	return map_count(debounce->by_path);
}

char *
debounce_take(struct debounce *debounce, usec_t now)
{
	struct touched *touched;
	char *path;

	if (debounce_next(debounce) > now)
		return NULL;
	touched = container_of(list_shift(&debounce->queue), struct touched, link);
	map_remove(debounce->by_path, touched->path, touched->len);
	path = xstrdup(touched->path);
	free(touched);
	return path;
}
