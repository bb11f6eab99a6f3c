/* See state.h. */
#include "dev/state.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "file.h"

#define STATE_MAX 65536

int
state_replace_file(const char *path, const char *text, struct err *err)
{
	char *part = xprintf("%s.new", path);
	FILE *file = fopen(part, "we");
	int result = 0;

	if (file == NULL || fputs(text, file) < 0)
		result = err_errno(err, "%s", path);
	if (file != NULL && fclose(file) != 0 && result == 0)
		result = err_errno(err, "%s", path);
	if (result == 0 && rename(part, path) < 0)
		result = err_errno(err, "%s", path);
	free(part);
	return result;
}

/* Where commands look first, when the data is somewhere else; NULL: it is not. */
static char *
pointer_folder(const char *data, const char *project)
{
	char *folder = xprintf("%s/.stepmill", project);

	if (strcmp(folder, data) != 0)
		return folder;
	free(folder);
	return NULL;
}

int
state_write(const char *data, const char *project, struct json *state, struct err *err)
{
	char *path = xprintf("%s/dev.json", data);
	char *folder = pointer_folder(data, project);
	char *text = json_text(state), *pointer;
	struct err ignored = { 0 }; /* a project may be read-only */
	int result = state_replace_file(path, text, err);

	if (folder != NULL) {
		pointer = xprintf("%s/dev.json", folder);
		if (mkdir(folder, 0755) == 0 || errno == EEXIST)
			state_replace_file(pointer, text, &ignored);
		free(pointer);
	}
	json_unref(&state);
	free(folder);
	free(path);
	free(text);
	return result;
}

void
state_remove(const char *data, const char *project)
{
	char *path = xprintf("%s/dev.json", data);
	char *folder = pointer_folder(data, project);

	unlink(path);
	free(path);
	if (folder == NULL)
		return;
	path = xprintf("%s/dev.json", folder);
	unlink(path);
	rmdir(folder); /* only if nothing else is in it */
	free(path);
	free(folder);
}

struct json *
state_left(const char *data)
{
	char *path = xprintf("%s/dev.json", data);
	struct json *state = NULL;
	struct err err = { 0 };
	size_t len;
	char *text = file_read(path, STATE_MAX, &len, &err);

	if (text != NULL && json_parse(text, len, &state, &err) < 0)
		state = NULL;
	free(text);
	free(path);
	return state;
}

struct json *
state_read(const char *data)
{
	struct json *state = state_left(data);
	pid_t pid = (pid_t)json_int(json_get(state, "pid"));

	if (pid <= 0 || (kill(pid, 0) < 0 && errno == ESRCH))
		json_unref(&state);
	return state;
}

struct json *
state_find(const char *folder)
{
	char *here = realpath(folder, NULL);
	struct json *state = NULL;

	while (here != NULL && state == NULL) {
		char *slash = strrchr(here, '/');
		char *data =
		    xprintf("%s/.stepmill", slash == here && !here[1] ? "" : here);

		state = state_read(data);
		free(data);
		if (here[1] == '\0')
			break;
		slash[slash == here ? 1 : 0] = '\0';
	}
	free(here);
	return state;
}
