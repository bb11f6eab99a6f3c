/* Reading agents. See agents.h. */
#include "conf/agents.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/xalloc.h"
#include "conf/agents_preset.h"
#include "conf/problems_within.h"
#include "conf/secret.h"
#include "conf/yaml.h"

#define NAME_CHARACTERS                                                                \
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"
#define NAME_LEN_MAX  64
#define VARIABLES_MAX 64
#define SECRET_LEN    8 /* a shorter value is no key */

const char *const agent_parsers[] = { "stream-json", "jsonl", "json", "text", NULL };

/* As written, before it is looked at. */
struct written {
	struct doc *command, *resume, *variables, *files, *permissions, *prices;
	char *parser, *default_permissions;
	bool prompt_stdin, tells_cost, sums_tokens, sums_cost;
	struct texts environment, session_files;
};

#define AT(field) offsetof(struct written, field)

static const struct option agent_table[] = {
	{ "command", OPT_TREE, AT(command), NULL, NULL, NULL, 0, "the call" },
	{ "resume", OPT_TREE, AT(resume), NULL, NULL, NULL, 0,
	  "of an earlier session" },
	{ "parser", OPT_TEXT, AT(parser), "text", NULL, NULL, 0, "of its output" },
	{ "prompt_stdin", OPT_FLAG, AT(prompt_stdin), "false", NULL, NULL, 0,
	  "whether it reads the prompt from standard input" },
	{ "tells_cost", OPT_FLAG, AT(tells_cost), "false", NULL, NULL, 0,
	  "whether its output says what it costs" },
	{ "sums_tokens", OPT_FLAG, AT(sums_tokens), "false", NULL, NULL, 0,
	  "whether its tokens are those of the whole session" },
	{ "sums_cost", OPT_FLAG, AT(sums_cost), "false", NULL, NULL, 0,
	  "whether its cost is that of the whole session" },
	{ "environment", OPT_TEXTS, AT(environment), NULL, NULL, NULL, 0,
	  "variables of the worker that it sees" },
	{ "variables", OPT_TREE, AT(variables), NULL, NULL, NULL, 0, "and more" },
	{ "files", OPT_TREE, AT(files), NULL, NULL, NULL, 0, "copied into its HOME" },
	{ "permissions", OPT_TREE, AT(permissions), NULL, NULL, NULL, 0,
	  "arguments by what a step allows" },
	{ "default_permissions", OPT_TEXT, AT(default_permissions), NULL, NULL, NULL, 0,
	  "where a step says nothing" },
	{ "session_files", OPT_TEXTS, AT(session_files), NULL, NULL, NULL, 0,
	  "in its HOME" },
	{ "prices", OPT_TREE, AT(prices), NULL, NULL, NULL, 0, "of its models" },
	{ .name = NULL },
};

struct reading {
	struct agent *agent;
	struct problems *problems;
	const struct doc *node;
};

static void
complain(const struct reading *reading, const struct doc *where, const char *key,
	 const char *what)
{
	problems_add(reading->problems, where != NULL ? where : reading->node, "",
		     "agents.%s.%s: %s", reading->agent->name, key, what);
}

static bool
has_only(const char *text, const char *characters, size_t most)
{
	size_t len = strlen(text);

	return len > 0 && len <= most && strspn(text, characters) == len;
}

static bool
is_word(const struct doc *node)
{
	return node->kind == DOC_SCALAR && strlen(node->text) == node->len &&
	       node->len <= AGENT_WORD_BYTES_MAX;
}

/* ---- words ---- */

static bool
are_words(const struct doc *list, bool groups)
{
	if (list->kind != DOC_LIST || list->count > AGENT_WORDS_MAX)
		return false;
	for (size_t i = 0; i < list->count; i++)
		if (!is_word(list->items[i]) &&
		    !(groups && are_words(list->items[i], false)))
			return false;
	return true;
}

/* Every scalar as the text that was written: "1" and 1 are the same argument. */
static struct json *
words_json(const struct doc *node)
{
	struct json *list;

	if (node->kind == DOC_SCALAR)
		return json_new_str_len(node->text, node->len);
	list = json_new_array();
	for (size_t i = 0; i < node->count; i++)
		json_append(list, words_json(node->items[i]));
	return list;
}

static struct json *
read_command(const struct reading *reading, const struct doc *tree, const char *key)
{
	if (tree == NULL)
		return NULL;
	if (are_words(tree, true) && tree->count > 0 &&
	    tree->items[0]->kind == DOC_SCALAR && tree->items[0]->len > 0 &&
	    strchr(tree->items[0]->text, '{') == NULL)
		return words_json(tree);
	complain(reading, tree, key,
		 "expected a list of up to 100 words, or lists of words, that begins "
		 "with the program");
	return NULL;
}

static struct json *
read_permissions(const struct reading *reading, const struct doc *tree)
{
	struct json *all;

	if (tree == NULL)
		return NULL;
	all = json_new_object();
	if (tree->kind != DOC_MAP || tree->count > AGENT_PERMISSIONS_MAX) {
		complain(reading, tree, "permissions",
			 "expected up to 16 names with lists of arguments");
		return all;
	}
	for (size_t i = 0; i < tree->count; i++) {
		if (are_words(tree->items[i], false))
			json_set(all, tree->keys[i]->text, words_json(tree->items[i]));
		else
			complain(reading, tree->items[i], "permissions",
				 "expected a list of arguments");
	}
	return all;
}

/* ---- variables and files ---- */

static bool
is_variable(const char *name)
{
	return has_only(name, NAME_CHARACTERS, NAME_LEN_MAX) &&
	       strpbrk(name, ".-") == NULL && (name[0] < '0' || name[0] > '9');
}

static void
read_variable(const struct reading *reading, const struct doc *name,
	      const struct doc *node, struct json *all)
{
	struct err err = { 0 };
	char *value = NULL;

	if (!is_variable(name->text))
		err_set(&err, ERR_INPUT, "\"%.64s\" is no name of a variable",
			name->text);
	else if (!is_word(node))
		err_set(&err, ERR_INPUT, "%.64s: expected a text", name->text);
	else
		value = secret_follow(node->text, &err);
	if (value == NULL)
		complain(reading, node, "variables", err.text);
	else
		json_set(all, name->text, json_new_str(value));
	if (value != NULL && strcmp(value, node->text) != 0)
		explicit_bzero(value, strlen(value));
	free(value);
}

static struct json *
read_variables(const struct reading *reading, const struct doc *tree)
{
	struct json *all;

	if (tree == NULL)
		return NULL;
	all = json_new_object();
	if (tree->kind != DOC_MAP || tree->count > VARIABLES_MAX) {
		complain(reading, tree, "variables",
			 "expected up to 64 names with values");
		return all;
	}
	for (size_t i = 0; i < tree->count; i++)
		read_variable(reading, tree->keys[i], tree->items[i], all);
	return all;
}

/* A path that cannot leave HOME, and names a file. */
static bool
is_below(const char *path)
{
	size_t len = strlen(path);

	for (const char *part = path; part != NULL;
	     part = strchr(part, '/') != NULL ? strchr(part, '/') + 1 : NULL) {
		size_t part_len = strcspn(part, "/");

		if (part_len == 0 || strncmp(part, ".", part_len) == 0 ||
		    (part_len == 2 && strncmp(part, "..", 2) == 0))
			return false;
	}
	return len <= 1000;
}

static struct json *
read_files(const struct reading *reading, const struct doc *tree)
{
	struct json *all;

	if (tree == NULL)
		return NULL;
	all = json_new_object();
	if (tree->kind != DOC_MAP || tree->count > AGENT_FILES_MAX) {
		complain(
		    reading, tree, "files",
		    "expected up to 64 paths in HOME with the files that are copied "
		    "there");
		return all;
	}
	for (size_t i = 0; i < tree->count; i++) {
		const struct doc *from = tree->items[i];

		if (!is_below(tree->keys[i]->text))
			complain(reading, tree->keys[i], "files",
				 "not a path below HOME");
		else if (!is_word(from) ||
			 (strncmp(from->text, "~/", 2) != 0 && from->text[0] != '/'))
			complain(reading, from, "files",
				 "expected a path that begins with / or ~/");
		else
			json_set(all, tree->keys[i]->text, json_new_str(from->text));
	}
	return all;
}

/* ---- an agent ---- */

static bool
is_parser(const char *name)
{
	size_t i = 0;

	while (agent_parsers[i] != NULL && strcmp(agent_parsers[i], name) != 0)
		i++;
	return agent_parsers[i] != NULL;
}

static void
check(const struct reading *reading)
{
	const struct agent *agent = reading->agent;
	const char *preset = agent->default_permissions;

	if (!is_parser(agent->parser))
		complain(reading, NULL, "parser",
			 "expected stream-json, jsonl, json or text");
	if (preset != NULL && !json_has(agent->permissions, preset))
		complain(reading, NULL, "default_permissions",
			 "there are no such permissions");
	for (size_t i = 0; i < agent->environment.count; i++)
		if (!is_variable(agent->environment.list[i]))
			complain(reading, NULL, "environment",
				 "expected names of variables");
	for (size_t i = 0; i < agent->session_files.count; i++)
		if (!is_below(agent->session_files.list[i]))
			complain(reading, NULL, "session_files",
				 "expected paths below HOME");
}

static char *
taken(char **text)
{
	char *was = *text;

	*text = NULL;
	return was;
}

static struct texts
taken_list(struct texts *list)
{
	struct texts was = *list;

	*list = (struct texts){ 0 };
	return was;
}

static void
take(const struct reading *reading, struct written *written)
{
	struct agent *agent = reading->agent;
	char *whose = xprintf("agents.%s", agent->name);

	if (written->command == NULL)
		complain(reading, NULL, "command", "it has none");
	agent->command = read_command(reading, written->command, "command");
	agent->resume = read_command(reading, written->resume, "resume");
	agent->parser = taken(&written->parser);
	agent->prompt_stdin = written->prompt_stdin;
	agent->tells_cost = written->tells_cost;
	agent->sums_tokens = written->sums_tokens;
	agent->sums_cost = written->sums_cost;
	agent->environment = taken_list(&written->environment);
	agent->variables = read_variables(reading, written->variables);
	agent->files = read_files(reading, written->files);
	agent->permissions = read_permissions(reading, written->permissions);
	agent->default_permissions = taken(&written->default_permissions);
	if (agent->default_permissions == NULL &&
	    json_has(agent->permissions, AGENT_PERMISSIONS))
		agent->default_permissions = xstrdup(AGENT_PERMISSIONS);
	agent->session_files = taken_list(&written->session_files);
	prices_read(whose, written->prices, &agent->prices, &agent->prices_count,
		    reading->problems);
	free(whose);
	check(reading);
}

/* preset: of one that is known, or NULL; what is written stands over it. */
static void
read_agent(struct agent *agent, const char *name, const struct doc *preset,
	   const struct doc *node, struct problems *problems)
{
	struct reading reading = { agent, problems, node != NULL ? node : preset };
	struct written written = { 0 };
	size_t before = problems->count;
	char *whose = xprintf("agents.%.64s", name);

	agent->name = xstrdup(name);
	option_defaults(agent_table, &written);
	if (preset != NULL)
		option_read(agent_table, preset, &written, problems);
	if (node != NULL)
		option_read(agent_table, node, &written, problems);
	problems_within(problems, before, whose);
	take(&reading, &written);
	option_fini(agent_table, &written);
	free(whose);
}

static bool
is_readable(const struct doc *tree, struct problems *problems)
{
	bool good =
	    tree == NULL || (tree->kind == DOC_MAP && tree->count <= AGENTS_MAX);

	if (!good)
		problems_add(problems, tree, "",
			     "agents: expected up to 64 names with what they are");
	for (size_t i = 0; good && tree != NULL && i < tree->count; i++) {
		good = has_only(tree->keys[i]->text, NAME_CHARACTERS, NAME_LEN_MAX);
		if (!good)
			problems_add(problems, tree->keys[i], "",
				     "agents: expected names of up to 64 letters, "
				     "digits, dots, dashes or underscores");
	}
	return good;
}

void
agents_read(struct agents *agents, const struct doc *tree, struct problems *problems)
{
	struct problems none = { 0 };
	struct doc *preset = yaml_parse(agents_preset, strlen(agents_preset), &none);
	size_t count;

	if (preset == NULL)
		bug("the presets of agents: %s", none.list[0].message);
	if (!is_readable(tree, problems))
		tree = NULL;
	count = preset->count + (tree != NULL ? tree->count : 0);
	agents->list = xcalloc(count, sizeof *agents->list);
	for (size_t i = 0; i < preset->count; i++) {
		const char *name = preset->keys[i]->text;

		read_agent(&agents->list[agents->count++], name, preset->items[i],
			   doc_get(tree, name), problems);
	}
	for (size_t i = 0; tree != NULL && i < tree->count; i++)
		if (agent_find(agents, tree->keys[i]->text) == NULL)
			read_agent(&agents->list[agents->count++], tree->keys[i]->text,
				   NULL, tree->items[i], problems);
	doc_free(&preset);
	problems_fini(&none);
}

static void
texts_free(struct texts *texts)
{
	for (size_t i = 0; i < texts->count; i++)
		free(texts->list[i]);
	free(texts->list);
}

static void
agent_fini(struct agent *agent)
{
	free(agent->name);
	json_unref(&agent->command);
	json_unref(&agent->resume);
	free(agent->parser);
	texts_free(&agent->environment);
	json_unref(&agent->variables);
	json_unref(&agent->files);
	json_unref(&agent->permissions);
	free(agent->default_permissions);
	texts_free(&agent->session_files);
	prices_free(&agent->prices, agent->prices_count);
}

void
agents_fini(struct agents *agents)
{
	for (size_t i = 0; i < agents->count; i++)
		agent_fini(&agents->list[i]);
	free(agents->list);
	*agents = (struct agents){ 0 };
}

const struct agent *
agent_find(const struct agents *agents, const char *name)
{
	for (size_t i = 0; i < agents->count; i++)
		if (strcmp(agents->list[i].name, name) == 0)
			return &agents->list[i];
	return NULL;
}

const char *
agent_program(const struct agent *agent)
{
	return json_str(json_at(agent->command, 0));
}

/* ---- what may not be seen ---- */

static bool
is_secret(const char *name)
{
	static const char *const parts[] = { "KEY", "TOKEN", "SECRET", "PASSWORD" };

	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
		if (strcasestr(name, parts[i]) != NULL)
			return true;
	return false;
}

static void
mask_value(struct mask *mask, const char *name, const char *value)
{
	if (value != NULL && is_secret(name) && strlen(value) >= SECRET_LEN)
		mask_add(mask, value, strlen(value));
}

static const char *
value_of(char *const *environment, const char *name)
{
	size_t len = strlen(name);

	for (; environment != NULL && *environment != NULL; environment++)
		if (strncmp(*environment, name, len) == 0 && (*environment)[len] == '=')
			return *environment + len + 1;
	return NULL;
}

void
agents_mask(const struct agents *agents, char *const *environment, struct mask *mask)
{
	for (size_t i = 0; i < agents->count; i++) {
		const struct agent *agent = &agents->list[i];

		for (size_t k = 0; k < agent->environment.count; k++)
			mask_value(mask, agent->environment.list[k],
				   value_of(environment, agent->environment.list[k]));
		for (struct json_iter it = json_iter(agent->variables); json_next(&it);)
			mask_value(mask, it.key, json_str(it.value));
	}
}
