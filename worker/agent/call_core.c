/* Putting values into words. See call_core.h. */
#include "agent/call_core.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/xalloc.h"

#define PERMISSIONS "{permissions}"

struct call {
	const struct call_values *values;
	char **list;
	size_t count;
	struct err *err;
	bool failed;
};

struct value {
	const char *name;
	size_t offset;
};

#define AT(field) offsetof(struct call_values, field)

static const struct value known[] = {
	{ "{prompt}", AT(prompt) },
	{ "{model}", AT(model) },
	{ "{session}", AT(session) },
	{ "{schema}", AT(schema) },
};

static const struct value *
value_at(const char *text)
{
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
		if (strncmp(known[i].name, text, strlen(known[i].name)) == 0)
			return &known[i];
	return NULL;
}

static const char *
value_of(const struct call *call, const struct value *value)
{
	return *(const char *const *)((const char *)call->values + value->offset);
}

/* Has all that the word needs a value? */
static bool
is_full(const struct call *call, const char *word)
{
	for (const char *at = strchr(word, '{'); at != NULL; at = strchr(at + 1, '{')) {
		const struct value *value = value_at(at);

		if (value != NULL && value_of(call, value) == NULL)
			return false;
	}
	return true;
}

static bool
group_is_full(const struct call *call, const struct json *group)
{
	for (size_t i = 0; i < json_count(group); i++)
		if (!is_full(call, json_str(json_at(group, i))))
			return false;
	return true;
}

static void
add(struct call *call, char *word)
{
	call->list = xrealloc(call->list, call->count + 2, sizeof *call->list);
	call->list[call->count++] = word;
	call->list[call->count] = NULL;
}

/* What is put in is not looked at again: braces of a prompt are its own. */
static void
add_word(struct call *call, const char *word)
{
	struct buf text = { 0 };

	while (*word != '\0') {
		const struct value *value = *word == '{' ? value_at(word) : NULL;

		if (value != NULL) {
			buf_str(&text, value_of(call, value));
			word += strlen(value->name);
		} else {
			buf_char(&text, *word++);
		}
	}
	if (text.len > CALL_WORD_MAX && !call->failed) {
		call->failed = true;
		err_set(call->err, ERR_LIMIT,
			"an argument would have %zu bytes, and the system takes %d; an "
			"agent with prompt_stdin reads longer prompts",
			text.len, CALL_WORD_MAX);
	}
	buf_str(&text, "");
	add(call, text.data != NULL ? buf_take(&text) : xstrdup(""));
	buf_fini(&text);
}

static void
add_permissions(struct call *call)
{
	const struct json *list = call->values->permissions;

	for (size_t i = 0; i < json_count(list); i++)
		add(call, xstrdup(json_str(json_at(list, i))));
}

static void
add_item(struct call *call, const struct json *item)
{
	const char *word = json_str(item);

	if (word != NULL && strcmp(word, PERMISSIONS) == 0) {
		add_permissions(call);
	} else if (word != NULL) {
		if (is_full(call, word))
			add_word(call, word);
	} else if (group_is_full(call, item)) {
		for (size_t i = 0; i < json_count(item); i++)
			add_word(call, json_str(json_at(item, i)));
	}
}

char **
call_words(const struct json *command, const struct call_values *values,
	   struct err *err)
{
	struct call call = { .values = values, .err = err };

	for (size_t i = 0; i < json_count(command); i++)
		add_item(&call, json_at(command, i));
	if (call.failed)
		call_free(&call.list);
	return call.list;
}

void
call_free(char ***words_p)
{
	for (char **at = *words_p; at != NULL && *at != NULL; at++)
		free(*at);
	free(*words_p);
	*words_p = NULL;
}
