/*
 * The table at work: defaults, a tree, the environment, and back to text. Every problem
 * is told, not only the first, with the option's full name.
 */
#include "conf/option.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/xalloc.h"
#include "conf/option_value.h"

#define NAME_MAX_LEN 64
#define ENVIRONMENT  "STEPMILL_"

struct reading {
	const struct option *table;
	void *conf;
	struct problems *problems;
};

void
option_defaults(const struct option *table, void *conf)
{
	struct err err = { 0 };

	for (const struct option *option = table; option->name != NULL; option++) {
		if (option->preset == NULL)
			continue;
		if (option_value_set(option, conf, option->preset,
				     strlen(option->preset), &err) < 0)
			bug("option %s: preset %s", option->name, err.text);
	}
}

static const struct option *
find(const struct option *table, const char *name)
{
	while (table->name != NULL && strcmp(table->name, name) != 0)
		table++;
	return table->name != NULL ? table : NULL;
}

/* Whether options begin with "name.". */
static bool
is_section(const struct option *table, const char *name)
{
	size_t len = strlen(name);

	for (; table->name != NULL; table++)
		if (strncmp(table->name, name, len) == 0 && table->name[len] == '.')
			return true;
	return false;
}

static bool
is_null(const struct doc *node)
{
	static const char *const words[] = { "", "~", "null", "Null", "NULL" };

	if (node->kind != DOC_SCALAR || node->quoted)
		return false;
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (strcmp(node->text, words[i]) == 0)
			return true;
	return false;
}

static void
read_list(const struct reading *reading, const struct option *option,
	  const struct doc *node)
{
	if (node->kind != DOC_LIST) {
		problems_add(reading->problems, node, "", "%s: expected a list",
			     option->name);
		return;
	}
	option_value_clear(option, reading->conf);
	for (size_t i = 0; i < node->count; i++) {
		const struct doc *item = node->items[i];

		if (item->kind != DOC_SCALAR || strlen(item->text) != item->len ||
		    item->len == 0)
			problems_add(reading->problems, item, "",
				     "%s: expected a list of words", option->name);
		else
			option_value_add(option, reading->conf, item->text, item->len);
	}
}

static void
read_option(const struct reading *reading, const struct option *option,
	    const struct doc *node)
{
	struct err err = { 0 };

	if (is_null(node))
		return;
	if (option->type == OPT_TEXTS)
		read_list(reading, option, node);
	else if (option->type == OPT_TREE)
		option_value_put(option, reading->conf, node);
	else if (node->kind != DOC_SCALAR)
		problems_add(reading->problems, node, "", "%s: expected one value",
			     option->name);
	else if (option_value_set(option, reading->conf, node->text, node->len, &err) <
		 0)
		problems_add(reading->problems, node, "", "%s: %s", option->name,
			     err.text);
}

/* All names and their sections, for a guess at what was meant. The caller's. */
static char **
all_names(const struct option *table)
{
	char **names = NULL;
	size_t count = 0;

	for (; table->name != NULL; table++) {
		const char *dot = strchr(table->name, '.');

		names = xrealloc(names, count + 3, sizeof *names);
		names[count++] = xstrdup(table->name);
		if (dot != NULL)
			names[count++] =
			    xstrndup(table->name, (size_t)(dot - table->name));
		names[count] = NULL;
	}
	return names;
}

static void
complain_of_unknown(const struct reading *reading, const struct doc *key,
		    const char *name)
{
	char **names = all_names(reading->table);
	const char *nearest =
	    names != NULL ? nearest_name(name, (const char *const *)names) : NULL;

	if (nearest != NULL)
		problems_add(reading->problems, key, "",
			     "%s: unknown key, did you mean %s?", name, nearest);
	else
		problems_add(reading->problems, key, "", "%s: unknown key", name);
	for (size_t i = 0; names != NULL && names[i] != NULL; i++)
		free(names[i]);
	free(names);
}

static void read_section(const struct reading *reading, const struct doc *map,
			 const char *section);

static void
read_member(const struct reading *reading, const struct doc *key,
	    const struct doc *item, const char *section)
{
	char *name = *section != '\0'
			 ? xprintf("%s.%.*s", section, NAME_MAX_LEN, key->text)
			 : xprintf("%.*s", NAME_MAX_LEN, key->text);
	const struct option *option = find(reading->table, name);

	if (option != NULL)
		read_option(reading, option, item);
	else if (is_section(reading->table, name))
		read_section(reading, item, name);
	else
		complain_of_unknown(reading, key, name);
	free(name);
}

static void
read_section(const struct reading *reading, const struct doc *map, const char *section)
{
	if (is_null(map))
		return;
	if (map->kind != DOC_MAP) {
		problems_add(reading->problems, map, "",
			     "%s%sexpected keys with values", section,
			     *section != '\0' ? ": " : "");
		return;
	}
	for (size_t i = 0; i < map->count; i++)
		read_member(reading, map->keys[i], map->items[i], section);
}

void
option_read(const struct option *table, const struct doc *tree, void *conf,
	    struct problems *problems)
{
	const struct reading reading = { table, conf, problems };

	read_section(&reading, tree, "");
}

char *
option_variable(const char *name)
{
	struct buf out = { 0 };

	buf_str(&out, ENVIRONMENT);
	for (; *name != '\0'; name++) {
		char c = *name;

		if (c >= 'a' && c <= 'z')
			c = (char)(c - 'a' + 'A');
		buf_char(&out, c == '.' || c == '-' ? '_' : c);
	}
	return buf_take(&out);
}

static const char *
lookup(char *const *environment, const char *name)
{
	size_t len = strlen(name);

	for (; *environment != NULL; environment++)
		if (strncmp(*environment, name, len) == 0 && (*environment)[len] == '=')
			return *environment + len + 1;
	return NULL;
}

/* An empty variable is as good as none: compose files write them all the time. */
void
option_environment(const struct option *table, char *const *environment, void *conf,
		   struct problems *problems)
{
	for (; table->name != NULL; table++) {
		char *name = option_variable(table->name);
		const char *value = lookup(environment, name);
		struct err err = { 0 };

		if (value != NULL && *value != '\0' &&
		    option_value_set(table, conf, value, strlen(value), &err) < 0)
			problems_add(problems, NULL, "", "%s: %s", name, err.text);
		free(name);
	}
}

char *
option_dump(const struct option *table, const void *conf)
{
	struct buf out = { 0 };
	size_t section = 0, dot;
	const char *section_name = "";

	for (; table->name != NULL; table++) {
		const char *last = strrchr(table->name, '.');

		dot = last != NULL ? (size_t)(last - table->name) : 0;
		if (dot > 0 &&
		    (dot != section || strncmp(section_name, table->name, dot) != 0))
			buf_printf(&out, "%.*s:\n", (int)dot, table->name);
		section = dot;
		section_name = table->name;
		buf_printf(&out, "%s# %s\n%s%s: ", dot > 0 ? "  " : "", table->help,
			   dot > 0 ? "  " : "",
			   dot > 0 ? table->name + dot + 1 : table->name);
		option_value_write(table, conf, &out);
		while (out.len > 0 && out.data[out.len - 1] == ' ')
			out.len--;
		buf_char(&out, '\n');
	}
	return buf_take(&out);
}

void
option_fini(const struct option *table, void *conf)
{
	for (; table->name != NULL; table++)
		option_value_clear(table, conf);
}
