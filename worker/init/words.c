/* The words that stepmill-init is started with. See init.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "init/parts.h"

static void
read_mode(struct words *words, const char *value)
{
	words->mode = strcmp(value, "namespace") == 0 ? MODE_NAMESPACE
		      : strcmp(value, "cgroup") == 0  ? MODE_CGROUP
						      : MODE_REAPER;
}

static void
read_probe(struct words *words, const char *value)
{
	words->probe = true;
	read_mode(words, value);
}

static void
read_remove(struct words *words, const char *value)
{
	words->remove = value;
}

static void
read_cgroup(struct words *words, const char *value)
{
	words->cgroup = value;
}

static void
read_channel(struct words *words, const char *value)
{
	words->channel = value[0] == '1';
}

static void
read_user(struct words *words, const char *value)
{
	char *end;

	words->has_user = true;
	words->user = (uid_t)strtoul(value, &end, 10);
	words->group = *end == ':' ? (gid_t)strtoul(end + 1, NULL, 10) : (gid_t)-1;
}

static void
read_groups(struct words *words, const char *value)
{
	char *end = (char *)value;

	while (*end != '\0' && words->groups_count < GROUPS_MAX) {
		words->groups[words->groups_count++] = (gid_t)strtoul(value, &end, 10);
		if (*end != ',')
			return;
		value = end + 1;
	}
}

static void
read_address_space(struct words *words, const char *value)
{
	words->address_space = strtoul(value, NULL, 10);
}

static void
read_files(struct words *words, const char *value)
{
	words->files = strtoul(value, NULL, 10);
}

static void
read_processes(struct words *words, const char *value)
{
	words->processes = strtoul(value, NULL, 10);
}

static const struct {
	const char *name;
	void (*read)(struct words *words, const char *value);
} known[] = {
	{ "mode=", read_mode },       { "probe=", read_probe },
	{ "remove=", read_remove },   { "cgroup=", read_cgroup },
	{ "channel=", read_channel }, { "user=", read_user },
	{ "groups=", read_groups },   { "address_space=", read_address_space },
	{ "files=", read_files },     { "processes=", read_processes },
};

static void
read_word(struct words *words, const char *word)
{
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
		size_t len = strlen(known[i].name);

		if (strncmp(word, known[i].name, len) == 0) {
			known[i].read(words, word + len);
			return;
		}
	}
	fprintf(stderr, "stepmill-init: %s: not understood\n", word);
	exit(EXIT_FAILURE);
}

char **
words_read(struct words *words, int argc, char **argv)
{
	*words = (struct words){ .cgroup_procs = -1, .cgroup_kill = -1 };
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--") == 0)
			return argv + i + 1;
		read_word(words, argv[i]);
	}
	return NULL;
}
