/*
 * Files of a session in HOME, by patterns: a part of the path at a time, so that only
 * folders that a pattern names are looked into. The agent wrote what is there, so
 * nothing of it is believed: files.h keeps the way inside.
 */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/home.h"
#include "base/xalloc.h"
#include "lang/glob.h"

#define ENTRIES_MAX 20000 /* looked at, of all folders together */
#define DEPTH_MAX   16
#define SESSION     "{session}"

struct search {
	const struct home *home;
	struct texts *found;
	int entries;
};

static void walk(struct search *search, const char *folder, const char *pattern,
		 int depth);

static bool
is_file(const struct search *search, const char *path)
{
	struct err err = { 0 };
	struct stat st;

	return files_stat(search->home->path, path, &st, &err) == 0 &&
	       S_ISREG(st.st_mode);
}

static void
add(struct search *search, const char *path)
{
	struct texts *found = search->found;

	for (size_t i = 0; i < found->count; i++)
		if (strcmp(found->list[i], path) == 0)
			return;
	if (found->count == HOME_FILES_MAX || !is_file(search, path))
		return;
	found->list = xrealloc(found->list, found->count + 1, sizeof *found->list);
	found->list[found->count++] = xstrdup(path);
}

/* name fits the first part of the pattern; what is behind it goes on below. */
static void
enter(struct search *search, const char *folder, const char *name, const char *pattern,
      int depth)
{
	const char *slash = strchr(pattern, '/');
	char *path = *folder != '\0' ? xprintf("%s/%s", folder, name) : xstrdup(name);

	if (slash == NULL)
		add(search, path);
	else
		walk(search, path, slash + 1, depth + 1);
	free(path);
}

static void
walk(struct search *search, const char *folder, const char *pattern, int depth)
{
	char *part = xstrndup(pattern, strcspn(pattern, "/"));
	struct dirent *entry;
	struct err err = { 0 };
	DIR *dir = NULL;
	int fd;

	if (strpbrk(part, "*?[\\") == NULL) {
		enter(search, folder, part, pattern, depth);
	} else if (depth < DEPTH_MAX && glob_check(part, strlen(part), &err) == 0) {
		fd = files_open_folder(search->home->path,
				       *folder != '\0' ? folder : ".", &err);
		dir = fd >= 0 ? fdopendir(fd) : NULL;
		if (fd >= 0 && dir == NULL)
			close(fd);
	}
	while (dir != NULL && search->entries < ENTRIES_MAX &&
	       (entry = readdir(dir)) != NULL) {
		search->entries++;
		if (strcmp(entry->d_name, ".") != 0 &&
		    strcmp(entry->d_name, "..") != 0 && glob_match(part, entry->d_name))
			enter(search, folder, entry->d_name, pattern, depth);
	}
	if (dir != NULL)
		closedir(dir);
	free(part);
}

/* The id is of letters that mean nothing in a pattern (told_session). */
static char *
fill_in(const char *pattern, const char *session)
{
	struct buf text = { 0 };
	const char *at;

	while ((at = strstr(pattern, SESSION)) != NULL) {
		buf_add(&text, pattern, (size_t)(at - pattern));
		buf_str(&text, session);
		pattern = at + strlen(SESSION);
	}
	buf_str(&text, pattern);
	return buf_take(&text);
}

void
home_find(const struct home *home, const struct texts *patterns, const char *session,
	  struct texts *found)
{
	struct search search = { .home = home, .found = found };

	*found = (struct texts){ 0 };
	for (size_t i = 0; i < patterns->count; i++) {
		bool needs_id = strstr(patterns->list[i], SESSION) != NULL;
		char *pattern;

		if (needs_id && *session == '\0')
			continue;
		pattern = fill_in(patterns->list[i], session);
		walk(&search, "", pattern, 0);
		free(pattern);
	}
}

void
home_files_free(struct texts *found)
{
	for (size_t i = 0; i < found->count; i++)
		free(found->list[i]);
	free(found->list);
	*found = (struct texts){ 0 };
}
