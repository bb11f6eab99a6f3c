/* Reading names with values. See named_values.h. */
#include "conf/named_values.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/xalloc.h"
#include "conf/secret.h"

static bool
is_name(const char *text, const char *characters)
{
	size_t len = strlen(text);

	return len > 0 && len <= NAMED_VALUE_NAME_MAX &&
	       strspn(text, characters) == len;
}

/* A line break in a header would be another header. */
static bool
is_one_line(const char *value)
{
	for (const char *c = value; *c != '\0'; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			return false;
	return true;
}

static char *
read_value(const struct doc *node, struct err *err)
{
	char *value;

	if (node->kind != DOC_SCALAR || strlen(node->text) != node->len) {
		err_set(err, ERR_INPUT, "expected a text");
		return NULL;
	}
	value = secret_follow(node->text, err);
	if (value == NULL || is_one_line(value))
		return value;
	err_set(err, ERR_INPUT, "a control character is not allowed");
	explicit_bzero(value, strlen(value));
	free(value);
	return NULL;
}

static void
read_one(struct named_values *values, const struct doc *name, const struct doc *node,
	 const char *where, struct problems *problems)
{
	struct err err = { 0 };
	char *value = read_value(node, &err);

	if (value == NULL) {
		problems_add(problems, node, "", "%s.%s: %s", where, name->text,
			     err.text);
		return;
	}
	values->list[values->count++] = (struct named_value){
		.name = xstrdup(name->text),
		.value = value,
		.secret = strcmp(value, node->text) != 0,
	};
}

void
named_values_read(struct named_values *values, const struct doc *tree,
		  const char *characters, const char *where, struct problems *problems)
{
	*values = (struct named_values){ 0 };
	if (tree == NULL)
		return;
	if (tree->kind != DOC_MAP || tree->count > NAMED_VALUES_MAX) {
		problems_add(problems, tree, "",
			     "%s: expected up to %d names with values", where,
			     NAMED_VALUES_MAX);
		return;
	}
	values->list = xcalloc(tree->count + 1, sizeof *values->list);
	for (size_t i = 0; i < tree->count; i++) {
		const struct doc *name = tree->keys[i];

		if (is_name(name->text, characters))
			read_one(values, name, tree->items[i], where, problems);
		else
			problems_add(problems, name, "", "%s: \"%.64s\" is no name",
				     where, name->text);
	}
}

void
named_values_fini(struct named_values *values)
{
	for (size_t i = 0; i < values->count; i++) {
		explicit_bzero(values->list[i].value, strlen(values->list[i].value));
		free(values->list[i].name);
		free(values->list[i].value);
	}
	free(values->list);
	*values = (struct named_values){ 0 };
}

void
named_values_mask(const struct named_values *values, struct mask *mask)
{
	for (size_t i = 0; i < values->count; i++)
		if (values->list[i].secret)
			mask_add(mask, values->list[i].value,
				 strlen(values->list[i].value));
}
