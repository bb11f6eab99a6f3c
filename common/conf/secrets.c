/* Reading where secrets are. See secrets.h. */
#include "conf/secrets.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

#define LETTERS         "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define NAME_CHARACTERS LETTERS "0123456789_-"
#define VARIABLES_MAX   64

/* As written, before it is looked at. */
struct written {
	char *file, *variable;
	struct texts command, environment;
	usec_t timeout, refresh;
};

#define AT(field) offsetof(struct written, field)

static const struct option secret_table[] = {
	{ "file", OPT_TEXT, AT(file), NULL, NULL, NULL, 0, "a file that holds it" },
	{ "env", OPT_TEXT, AT(variable), NULL, NULL, NULL, 0, "a variable" },
	{ "command", OPT_TEXTS, AT(command), NULL, NULL, NULL, 0, "what prints it" },
	{ "environment", OPT_TEXTS, AT(environment), NULL, NULL, NULL, 0,
	  "variables that the command is given" },
	{ "timeout", OPT_DURATION, AT(timeout), "10s", "100ms", "5m", 0,
	  "how long the command may take" },
	{ "refresh", OPT_DURATION, AT(refresh), "0s", "0s", "52w", 0,
	  "it is read again after so long" },
	{ .name = NULL },
};

/* Problems from `first` on are of members of this one. */
static void
name_problems(const char *name, struct problems *problems, size_t first)
{
	for (size_t i = first; i < problems->count; i++) {
		struct problem *problem = &problems->list[i];
		char *message = xprintf("secrets.%s.%s", name, problem->message);

		free(problem->message);
		problem->message = message;
	}
}

static void
complain(struct problems *problems, const struct doc *where, const char *name,
	 const char *what)
{
	problems_add(problems, where, "", "secrets.%s: %s", name, what);
}

static bool
is_name(const char *text, const char *beginning, const char *characters, size_t most)
{
	size_t len = strlen(text);

	return len > 0 && len <= most && strchr(beginning, text[0]) != NULL &&
	       strspn(text, characters) == len;
}

static bool
is_variable(const char *text)
{
	return is_name(text, LETTERS "_", LETTERS "0123456789_", 200);
}

/* ---- one of them ---- */

static const char *
what_is_wrong(const struct written *written)
{
	int kinds = (written->file != NULL) + (written->variable != NULL) +
		    (written->command.count > 0);

	if (kinds != 1)
		return "expected one of file, env and command";
	if (written->file != NULL && written->file[0] != '/')
		return "file: expected an absolute path";
	if (written->variable != NULL && !is_variable(written->variable))
		return "env: expected the name of a variable";
	if (written->command.count > SECRET_WORDS_MAX ||
	    (written->command.count > 0 && written->command.list[0][0] == '\0'))
		return "command: expected a program and up to 63 arguments";
	if (written->environment.count > VARIABLES_MAX)
		return "environment: expected up to 64 names";
	for (size_t i = 0; i < written->environment.count; i++)
		if (!is_variable(written->environment.list[i]))
			return "environment: expected names of variables";
	return NULL;
}

/* Takes what is written. */
static void
take(struct secret_source *source, struct written *written)
{
	source->kind = written->file != NULL       ? SECRET_FILE
		       : written->variable != NULL ? SECRET_ENVIRONMENT
						   : SECRET_COMMAND;
	source->text = written->file != NULL ? written->file : written->variable;
	source->command = written->command;
	source->environment = written->environment;
	source->timeout = written->timeout;
	source->refresh = written->refresh;
}

/* file:/path and env:NAME, as elsewhere. */
static bool
read_short(struct written *written, const struct doc *node)
{
	if (node->kind != DOC_SCALAR || strlen(node->text) != node->len)
		return false;
	if (strncmp(node->text, "file:", 5) == 0)
		written->file = xstrdup(node->text + 5);
	else if (strncmp(node->text, "env:", 4) == 0)
		written->variable = xstrdup(node->text + 4);
	return written->file != NULL || written->variable != NULL;
}

static bool
read_written(struct written *written, const struct doc *name, const struct doc *node,
	     struct problems *problems)
{
	size_t before = problems->count;
	const char *wrong;

	option_defaults(secret_table, written);
	if (node->kind == DOC_MAP) {
		option_read(secret_table, node, written, problems);
		name_problems(name->text, problems, before);
	} else if (!read_short(written, node)) {
		complain(problems, node, name->text,
			 "expected {file: /path}, {env: NAME} or {command: [...]}: the "
			 "secret itself does not stand here");
	}
	if (problems->count > before)
		return false;
	wrong = what_is_wrong(written);
	if (wrong != NULL)
		complain(problems, node, name->text, wrong);
	return wrong == NULL;
}

static void
read_one(struct secret_sources *sources, const struct doc *name, const struct doc *node,
	 struct problems *problems)
{
	struct written written = { 0 };
	struct secret_source *source = &sources->list[sources->count];

	if (!is_name(name->text, LETTERS "_", NAME_CHARACTERS, SECRET_NAME_MAX)) {
		problems_add(problems, name, "",
			     "secrets: expected names of up to 60 letters, digits, "
			     "underscores or dashes that begin with a letter");
		return;
	}
	if (!read_written(&written, name, node, problems)) {
		option_fini(secret_table, &written);
		return;
	}
	source->name = xstrdup(name->text);
	take(source, &written);
	sources->count++;
}

void
secret_sources_read(struct secret_sources *sources, const struct doc *tree,
		    struct problems *problems)
{
	if (tree == NULL)
		return;
	if (tree->kind != DOC_MAP || tree->count > SECRETS_MAX) {
		problems_add(problems, tree, "",
			     "secrets: expected up to 256 names with where they are");
		return;
	}
	sources->list = xcalloc(tree->count + 1, sizeof *sources->list);
	for (size_t i = 0; i < tree->count; i++)
		read_one(sources, tree->keys[i], tree->items[i], problems);
}

/* ---- all of them ---- */

static void
texts_copy(struct texts *to, const struct texts *from)
{
	to->count = from->count;
	to->list = xcalloc(from->count + 1, sizeof *to->list);
	for (size_t i = 0; i < from->count; i++)
		to->list[i] = xstrdup(from->list[i]);
}

static void
texts_fini(struct texts *texts)
{
	for (size_t i = 0; i < texts->count; i++)
		free(texts->list[i]);
	free(texts->list);
}

static bool
texts_equal(const struct texts *a, const struct texts *b)
{
	for (size_t i = 0; i < a->count && i < b->count; i++)
		if (strcmp(a->list[i], b->list[i]) != 0)
			return false;
	return a->count == b->count;
}

void
secret_sources_copy(struct secret_sources *to, const struct secret_sources *from)
{
	to->count = from->count;
	to->list = xcalloc(from->count + 1, sizeof *to->list);
	for (size_t i = 0; i < from->count; i++) {
		to->list[i] = from->list[i];
		to->list[i].name = xstrdup(from->list[i].name);
		to->list[i].text = xstrdup(from->list[i].text);
		texts_copy(&to->list[i].command, &from->list[i].command);
		texts_copy(&to->list[i].environment, &from->list[i].environment);
	}
}

void
secret_sources_fini(struct secret_sources *sources)
{
	for (size_t i = 0; i < sources->count; i++) {
		free(sources->list[i].name);
		free(sources->list[i].text);
		texts_fini(&sources->list[i].command);
		texts_fini(&sources->list[i].environment);
	}
	free(sources->list);
	*sources = (struct secret_sources){ 0 };
}

const struct secret_source *
secret_source_find(const struct secret_sources *sources, const char *name)
{
	for (size_t i = 0; i < sources->count; i++)
		if (strcmp(sources->list[i].name, name) == 0)
			return &sources->list[i];
	return NULL;
}

bool
secret_source_equal(const struct secret_source *a, const struct secret_source *b)
{
	if (a->kind != b->kind || (a->text == NULL) != (b->text == NULL))
		return false;
	return (a->text == NULL || strcmp(a->text, b->text) == 0) &&
	       texts_equal(&a->command, &b->command) &&
	       texts_equal(&a->environment, &b->environment);
}
