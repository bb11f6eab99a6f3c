/* Finding functions by name, and the functions that fit in no other room. */
#include "lang/cel_function.h"

#include <stdio.h>
#include <string.h>

#include "lang/cel_node.h"
#include "lang/cel_string.h"
#include "lang/regex.h"

static const struct cel_function *const tables[] = {
	cel_basic_functions, cel_convert_functions, cel_string_functions,
	cel_cut_functions,   cel_time_functions,    cel_math_functions,
};
#define TABLES    (sizeof tables / sizeof tables[0])
#define NAMES_MAX 160

static const char *const macros[] = {
	"has", "all",    "exists",        "exists_one",   "existsOne",
	"map", "filter", "transformList", "transformMap", "cel.bind",
};

const struct cel_function *
cel_function_find(const char *name, bool member)
{
	for (size_t i = 0; i < TABLES; i++)
		for (const struct cel_function *f = tables[i]; f->name != NULL; f++)
			if (strcmp(f->name, name) == 0 &&
			    (member ? f->member : f->global))
				return f;
	return NULL;
}

const char *
cel_function_nearest(const char *name)
{
	const char *names[NAMES_MAX + 1];
	size_t count = 0;

	for (size_t i = 0; i < sizeof macros / sizeof macros[0]; i++)
		names[count++] = macros[i];
	for (size_t i = 0; i < TABLES; i++)
		for (const struct cel_function *f = tables[i];
		     f->name != NULL && count < NAMES_MAX; f++)
			names[count++] = f->name;
	names[count] = NULL;
	return nearest_name(name, names);
}

bool
cel_function_namespace(const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < TABLES; i++)
		for (const struct cel_function *f = tables[i]; f->name != NULL; f++)
			if (strncmp(f->name, name, len) == 0 && f->name[len] == '.')
				return true;
	return false;
}

struct cel_value
cel_no_overload(struct cel_run *run, const struct cel_value *args, size_t count)
{
	const struct cel_function *function = run->node->function;
	char kinds[120] = "";
	size_t len = 0;

	for (size_t i = 0; i < count && len < sizeof kinds - 20; i++)
		len += (size_t)snprintf(kinds + len, sizeof kinds - len, "%s%s",
					i > 0 ? ", " : "", cel_kind_name(args[i].kind));
	return cel_fail(run, "no such overload: %s of (%s); it is %s", function->name,
			kinds, function->usage);
}

static struct cel_value
fn_size(struct cel_run *run, const struct cel_value *args, size_t count)
{
	const struct cel_value *of = &args[0];

	switch (of->kind) {
	case CEL_STRING:
		if (!cel_spend(run, of->text.len / 32))
			return cel_spent(run);
		return cel_int((int64_t)cel_characters(of->text.data, of->text.len));
	case CEL_BYTES:
		return cel_int((int64_t)of->text.len);
	case CEL_LIST:
	case CEL_MAP:
		return cel_int((int64_t)cel_count(of));
	default:
		return cel_no_overload(run, args, count);
	}
}

static struct cel_value
match(struct cel_run *run, const struct regex *regex, const struct cel_text *text)
{
	enum regex_answer answer;
	int64_t before = run->cost * 2, budget = before;

	answer = regex_match(regex, text->data, text->len, &budget);
	if (!cel_spend(run, (size_t)(before - budget) / 2) || answer == REGEX_SPENT)
		return cel_spent(run);
	return cel_bool(answer == REGEX_YES);
}

static struct cel_value
fn_matches(struct cel_run *run, const struct cel_value *args, size_t count)
{
	struct err err = { 0 };
	struct cel_value value;
	struct regex *regex;

	if (args[0].kind != CEL_STRING || args[1].kind != CEL_STRING)
		return cel_no_overload(run, args, count);
	if (run->node->regex != NULL)
		return match(run, run->node->regex, &args[0].text);
	if (!cel_spend(run, 100 + args[1].text.len))
		return cel_spent(run);
	regex = regex_compile(args[1].text.data, args[1].text.len, &err);
	if (regex == NULL)
		return cel_fail(run, "this regex is wrong: %.200s", err.text);
	value = cel_spend(run, regex_size(regex)) ? match(run, regex, &args[0].text)
						  : cel_spent(run);
	regex_free(&regex);
	return value;
}

const struct cel_function cel_basic_functions[] = {
	{ "size", true, true, 1, 1, fn_size, "size(string|bytes|list|map)", 0 },
	{ "matches", true, true, 2, 2, fn_matches, "string.matches(regex)", 0 },
	{ 0 },
};
