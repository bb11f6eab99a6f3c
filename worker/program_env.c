/* The environment of a program, put together from where it may come from. */
#include "program_env.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

#define PATH_PRESET "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

struct list_of_texts {
	char **list;
	size_t count, capacity;
};

static const char *
value_of(char *const *environment, const char *name)
{
	size_t len = strlen(name);

	for (; environment != NULL && *environment != NULL; environment++)
		if (strncmp(*environment, name, len) == 0 && (*environment)[len] == '=')
			return *environment + len + 1;
	return NULL;
}

/* Takes text; a former one of the same name gives way. */
static void
put(struct list_of_texts *all, char *text)
{
	size_t len = strcspn(text, "=") + 1;

	for (size_t i = 0; i < all->count; i++) {
		if (strncmp(all->list[i], text, len) != 0)
			continue;
		free(all->list[i]);
		all->list[i] = text;
		return;
	}
	if (all->count + 1 >= all->capacity) {
		all->capacity = all->capacity * 2 + 16;
		all->list = xrealloc(all->list, all->capacity, sizeof *all->list);
	}
	all->list[all->count++] = text;
	all->list[all->count] = NULL;
}

static void
put_pair(struct list_of_texts *all, const char *name, const char *value)
{
	if (value != NULL)
		put(all, xprintf("%s=%s", name, value));
}

static void
put_number(struct list_of_texts *all, const char *name, int value)
{
	put(all, xprintf("%s=%d", name, value));
}

static const char *
or_else(const char *value, const char *preset)
{
	return value != NULL && value[0] != '\0' ? value : preset;
}

static void
put_machine(struct list_of_texts *all, const struct programs *programs,
	    const char *folder)
{
	char *const *own = programs->environment;
	const struct texts *allowed = &programs->settings->worker_environment;
	const char *home =
	    programs->user.is_set ? programs->user.home : value_of(own, "HOME");

	put_pair(all, "PATH", or_else(value_of(own, "PATH"), PATH_PRESET));
	put_pair(all, "HOME", or_else(home, folder));
	put_pair(all, "LANG", or_else(value_of(own, "LANG"), "C.UTF-8"));
	for (size_t i = 0; i < allowed->count; i++)
		put_pair(all, allowed->list[i], value_of(own, allowed->list[i]));
	put_pair(all, "TMPDIR", folder);
}

static void
put_attempt(struct list_of_texts *all, const struct attempt *attempt)
{
	char id[UUID_TEXT];

	put_pair(all, "STEPMILL_EXECUTION_ID", uuid_format(&attempt->run, id));
	put_pair(all, "STEPMILL_RUN_ID", attempt->run_id);
	put_pair(all, "STEPMILL_STEP", attempt->def->id);
	put_number(all, "STEPMILL_STEP_NUMBER", attempt->number);
	put_number(all, "STEPMILL_ATTEMPT", attempt->attempt);
	put_pair(all, "STEPMILL_IDEMPOTENCY_KEY", attempt->idempotency_key);
	put_pair(all, "STEPMILL_PROJECT_PATH", attempt->project_path);
}

char **
program_env_new(const struct programs *programs, const struct attempt *attempt,
		const char *folder, bool channel, const char *const *added)
{
	struct list_of_texts all = { 0 };

	put_machine(&all, programs, folder);
	if (attempt != NULL)
		put_attempt(&all, attempt);
	if (channel)
		put_number(&all, "STEPMILL_FD", INIT_CHANNEL_FD);
	for (; added != NULL && *added != NULL; added++)
		put(&all, xstrdup(*added));
	return all.list;
}

void
program_env_free(char ***environment_p)
{
	for (char **at = *environment_p; at != NULL && *at != NULL; at++)
		free(*at);
	free(*environment_p);
	*environment_p = NULL;
}
