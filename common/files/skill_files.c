/* Looking for skills, place by place. See skill_files.h. */
#include "files/skill_files.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "files/files.h"

#define OF_A_PROJECT ".agent/skills"
#define FILE_NAME    "SKILL.md"

size_t
skill_places_count(const struct skill_places *places)
{
	return places->count + 1;
}

const char *
skill_places_root(const struct skill_places *places, size_t index, const char **within)
{
	*within = index == 0 ? OF_A_PROJECT : ".";
	return index == 0 ? places->project : places->folders[index - 1];
}

/* ---- one of them ---- */

int
skill_files_read(const struct skill_places *places, size_t index, const char *name,
		 size_t most, struct buf *out, char **path, struct err *err)
{
	const char *within, *root = skill_places_root(places, index, &within);
	char *file;
	int result;

	*path = index == 0 ? xprintf("%s/%s", within, name) : xstrdup(name);
	file = xprintf("%s/" FILE_NAME, *path);
	result = files_read(root, file, most, out, err);
	free(file);
	if (result == 0)
		return 0;
	free(*path);
	*path = NULL;
	return -1;
}

static void
name_places(const struct skill_places *places, struct buf *out)
{
	size_t count = skill_places_count(places);

	for (size_t i = 0; i < count; i++) {
		const char *within, *root = skill_places_root(places, i, &within);

		buf_str(out, i == 0 ? "" : i + 1 < count ? ", " : " and ");
		buf_printf(out, "%.200s%s%s", root, i == 0 ? "/" : "",
			   i == 0 ? within : "");
	}
}

int
skill_files_find(const struct skill_places *places, const char *name, size_t most,
		 size_t *index, struct buf *out, char **path, struct err *err)
{
	struct buf looked = { 0 };

	for (size_t i = 0; i < skill_places_count(places); i++) {
		*index = i;
		if (skill_files_read(places, i, name, most, out, path, err) == 0)
			return 0;
		if (err->kind != ERR_NOT_FOUND && err->kind != ERR_INPUT)
			return -1;
		err_clear(err);
	}
	name_places(places, &looked);
	err_set(err, ERR_NOT_FOUND,
		"there is no skill \"%.100s\": no folder of this name with a " FILE_NAME
		" in %s",
		name, buf_text(&looked));
	buf_fini(&looked);
	return -1;
}

/* ---- all of them ---- */

static int
by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int
read_names(DIR *dir, struct skill_names *out, struct err *err)
{
	struct dirent *entry;

	while ((entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.' || entry->d_type == DT_REG)
			continue;
		if (out->count == SKILL_NAMES_MAX)
			return err_set(err, ERR_LIMIT, "more than %d folders",
				       SKILL_NAMES_MAX);
		out->list = xrealloc(out->list, out->count + 1, sizeof *out->list);
		out->list[out->count++] = xstrdup(entry->d_name);
	}
	return 0;
}

int
skill_files_names(const struct skill_places *places, size_t index,
		  struct skill_names *out, struct err *err)
{
	const char *within, *root = skill_places_root(places, index, &within);
	int fd = files_open_folder(root, within, err), result = 0;
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;

	*out = (struct skill_names){ 0 };
	if (dir == NULL) {
		if (fd >= 0) {
			err_errno(err, "%.300s", root);
			close(fd);
		}
		if (err->kind != ERR_NOT_FOUND)
			return -1;
		err_clear(err);
		return 0;
	}
	result = read_names(dir, out, err);
	closedir(dir);
	if (out->count > 0)
		qsort(out->list, out->count, sizeof *out->list, by_text);
	return result;
}

void
skill_names_fini(struct skill_names *names)
{
	for (size_t i = 0; i < names->count; i++)
		free(names->list[i]);
	free(names->list);
	*names = (struct skill_names){ 0 };
}

/* ---- where they really are ---- */

/* Takes the descriptor. */
static char *
path_of(int fd, struct err *err)
{
	char link[64], path[PATH_MAX];
	ssize_t len;

	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	len = readlink(link, path, sizeof path);
	close(fd);
	if (len < 0 || len == (ssize_t)sizeof path) {
		err_set(err, ERR_SYSTEM, "its path cannot be told");
		return NULL;
	}
	return xstrndup(path, (size_t)len);
}

char *
skill_files_real(const struct skill_places *places, size_t index,
		 const char *skill_path, const char *file, struct err *err)
{
	const char *within, *root = skill_places_root(places, index, &within);
	char *path = xprintf("%s/%s", skill_path, file);
	int fd = files_open(root, path, O_RDONLY, err);

	free(path);
	return fd >= 0 ? path_of(fd, err) : NULL;
}

char *
skill_files_folder(const struct skill_places *places, size_t index,
		   const char *skill_path, struct err *err)
{
	const char *within, *root = skill_places_root(places, index, &within);
	int fd = files_open_folder(root, skill_path, err);

	return fd >= 0 ? path_of(fd, err) : NULL;
}
