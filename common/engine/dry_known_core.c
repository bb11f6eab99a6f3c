/* What an expression reads, against what is known. See dry_known_core.h. */
#include "engine/dry_known_core.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "lang/template.h"

struct asking {
	const struct dry_scope *scope;
	struct json *unresolved;
	bool known;
};

/* ---- what is missing ---- */

static bool
has_text(const struct json *list, const char *text)
{
	for (size_t i = 0; i < json_count(list); i++)
		if (strcmp(json_str(json_at(list, i)), text) == 0)
			return true;
	return false;
}

static void
miss(struct asking *asking, const char *variable, const char *member, const char *field)
{
	struct buf name = { 0 };

	buf_str(&name, variable);
	if (member != NULL)
		buf_printf(&name, ".%s", member);
	if (member != NULL && field != NULL)
		buf_printf(&name, ".%s", field);
	if (!has_text(asking->unresolved, buf_text(&name)))
		json_append(asking->unresolved, json_new_str(buf_text(&name)));
	buf_fini(&name);
	asking->known = false;
}

/* ---- steps ---- */

/* load_spec stands for load-spec, see run.c. */
static bool
is_called(const char *id, const char *name)
{
	for (; *id != '\0' && *name != '\0'; id++, name++)
		if (*id != *name && (*id != '-' || *name != '_'))
			return false;
	return *id == *name;
}

static int
index_of(const struct workflow *workflow, const char *name)
{
	int index = workflow_step_index(workflow, name);

	for (size_t i = 0; index < 0 && i < workflow->steps_count; i++)
		if (is_called(workflow->steps[i].id, name))
			index = (int)i;
	return index;
}

static bool
knows_field(enum knowledge knowledge, const char *field)
{
	bool tells_how_it_ended = field != NULL && (strcmp(field, "status") == 0 ||
						    strcmp(field, "error") == 0);

	return knowledge == KNOWN ||
	       (knowledge == UNKNOWN_OUTPUT && tells_how_it_ended);
}

static bool
knows_steps(const struct dry_scope *scope, const char *member, const char *field)
{
	const struct workflow *workflow = scope->scope->run->workflow;
	int index = member != NULL ? index_of(workflow, member) : NO_STEP;

	if (index >= 0)
		return knows_field(scope->steps[index], field);
	for (size_t i = 0; member == NULL && i < workflow->steps_count; i++)
		if (scope->steps[i] != KNOWN)
			return false;
	return true;
}

/* ---- the others ---- */

static bool
always(const struct dry_scope *scope, const char *member, const char *field)
{
	(void)scope, (void)member, (void)field;
	return true;
}

static bool
never(const struct dry_scope *scope, const char *member, const char *field)
{
	(void)scope, (void)member, (void)field;
	return false;
}

static bool
knows_result(const struct dry_scope *scope, const char *member, const char *field)
{
	(void)field;
	return scope->result_is_known ||
	       (member != NULL && scope->result_member != NULL &&
		strcmp(member, scope->result_member) == 0);
}

static bool
knows_item(const struct dry_scope *scope, const char *member, const char *field)
{
	(void)member, (void)field;
	return scope->has_item;
}

static bool
knows_index(const struct dry_scope *scope, const char *member, const char *field)
{
	(void)member, (void)field;
	return scope->scope->index >= 0;
}

/* What only a real run has, is never known. */
static const struct {
	const char *variable;
	bool (*knows)(const struct dry_scope *scope, const char *member,
		      const char *field);
} table[] = {
	{ "input", always },      { "trigger", always },      { "error", always },
	{ "steps", knows_steps }, { "result", knows_result }, { "item", knows_item },
	{ "index", knows_index }, { "state", never },         { "run", never },
	{ "event", never },       { "env", never },           { "secrets", never },
};

static void
on_ref(void *context, const char *variable, const char *member, const char *field)
{
	struct asking *asking = context;

	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		if (strcmp(table[i].variable, variable) == 0 &&
		    table[i].knows(asking->scope, member, field))
			return;
	miss(asking, variable, member, field);
}

bool
dry_knows(const struct dry_scope *scope, const struct cel *cel, struct json *unresolved)
{
	struct asking asking = { scope, unresolved, true };

	cel_refs(cel, on_ref, &asking);
	return asking.known;
}

bool
dry_knows_template(const struct dry_scope *scope, const struct template *tmpl,
		   struct json *unresolved)
{
	struct asking asking = { scope, unresolved, true };

	template_refs(tmpl, on_ref, &asking);
	return asking.known;
}

/* ---- values ---- */

static size_t
size_of(const struct json *value)
{
	char *text;
	size_t size;

	if (json_type(value) == JSON_STRING)
		return json_str_len(value);
	text = json_text(value);
	size = strlen(text);
	free(text);
	return size;
}

static int
spend(const struct dry_scope *scope, size_t size, struct err *err)
{
	if (size > *scope->left) {
		*scope->left = 0;
		return err_set(err, ERR_LIMIT, "the answer would be too long");
	}
	*scope->left -= size;
	return 0;
}

static int
resolve_text(const struct dry_scope *scope, const struct json *text, struct json **out,
	     struct json *unresolved, struct err *err)
{
	struct template *tmpl;
	int result = 0;

	if (spend(scope, json_str_len(text) + 1, err) < 0)
		return -1;
	tmpl = template_compile(text, NULL, err);
	if (tmpl == NULL)
		return -1;
	if (!dry_knows_template(scope, tmpl, unresolved))
		*out = json_copy(text);
	else
		result = template_resolve(tmpl, &scope->scope->scope, out, err);
	template_free(&tmpl);
	if (result == 0)
		result = spend(scope, size_of(*out), err);
	if (result < 0)
		json_unref(out);
	return result;
}

static int
resolve_list(const struct dry_scope *scope, const struct json *list, struct json **out,
	     struct json *unresolved, struct err *err)
{
	*out = json_new_array();
	for (size_t i = 0; i < json_count(list); i++) {
		struct json *item = NULL;

		if (dry_resolve(scope, json_at(list, i), &item, unresolved, err) < 0) {
			json_unref(out);
			return err_in(err, "[%zu]", i);
		}
		json_append(*out, item);
	}
	return 0;
}

static int
resolve_object(const struct dry_scope *scope, const struct json *object,
	       struct json **out, struct json *unresolved, struct err *err)
{
	*out = json_new_object();
	for (struct json_iter it = json_iter(object); json_next(&it);) {
		struct json *value = NULL;

		if (dry_resolve(scope, it.value, &value, unresolved, err) < 0) {
			json_unref(out);
			return err_in(err, "%.100s", it.key);
		}
		json_set_len(*out, it.key, it.key_len, value);
	}
	return 0;
}

int
dry_resolve(const struct dry_scope *scope, const struct json *value, struct json **out,
	    struct json *unresolved, struct err *err)
{
	*out = NULL;
	switch (json_type(value)) {
	case JSON_STRING:
		return resolve_text(scope, value, out, unresolved, err);
	case JSON_ARRAY:
		return resolve_list(scope, value, out, unresolved, err);
	case JSON_OBJECT:
		return resolve_object(scope, value, out, unresolved, err);
	default:
		*out = json_copy(value);
		return 0;
	}
}
