/*
 * What can be known of an expression before it runs: variables of macros become slots,
 * macros become folds, names of types constants, calls get their function; unknown
 * functions, wrong numbers of arguments and broken patterns are found here.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "lang/cel_function.h"
#include "lang/cel_node.h"
#include "lang/regex.h"

struct checker {
	struct cel *cel;
	bool lenient;
	const char *locals[CEL_LOCALS_MAX];
	int count;
	struct cel_mistake *mistake;
};

/* LIST.name(variable..., filter, body) */
static const struct macro {
	const char *name;
	size_t args;
	int variables;
	enum cel_fold fold;
	bool filter, body;
	const char *usage;
} macros[] = {
	{ "all", 2, 1, CEL_ALL, false, true, "list.all(x, condition)" },
	{ "all", 3, 2, CEL_ALL, false, true, "" },
	{ "exists", 2, 1, CEL_EXISTS, false, true, "list.exists(x, condition)" },
	{ "exists", 3, 2, CEL_EXISTS, false, true, "" },
	{ "exists_one", 2, 1, CEL_EXISTS_ONE, false, true,
	  "list.exists_one(x, condition)" },
	{ "exists_one", 3, 2, CEL_EXISTS_ONE, false, true, "" },
	{ "existsOne", 2, 1, CEL_EXISTS_ONE, false, true,
	  "list.existsOne(x, condition)" },
	{ "existsOne", 3, 2, CEL_EXISTS_ONE, false, true, "" },
	{ "map", 2, 1, CEL_TO_LIST, false, true,
	  "list.map(x, value) or list.map(x, condition, value)" },
	{ "map", 3, 1, CEL_TO_LIST, true, true, "" },
	{ "filter", 2, 1, CEL_TO_LIST, true, false, "list.filter(x, condition)" },
	{ "transformList", 3, 2, CEL_TO_LIST, false, true,
	  "list.transformList(index, x, value)" },
	{ "transformList", 4, 2, CEL_TO_LIST, true, true, "" },
	{ "transformMap", 3, 2, CEL_TO_MAP, false, true,
	  "map.transformMap(key, x, value)" },
	{ "transformMap", 4, 2, CEL_TO_MAP, true, true, "" },
};
#define MACROS (sizeof macros / sizeof macros[0])

static int check(struct checker *checker, struct cel_node *node);

static int
fail(struct checker *checker, const struct cel_node *node, const char *format, ...)
{
	va_list args;

	checker->mistake->at = node->at;
	va_start(args, format);
	vsnprintf(checker->mistake->text, sizeof checker->mistake->text, format, args);
	va_end(args);
	return -1;
}

static int
check_kids(struct checker *checker, struct cel_node *node)
{
	for (size_t i = 0; i < node->count; i++)
		if (check(checker, node->kids[i]) < 0)
			return -1;
	return 0;
}

static void
make_constant(struct cel_node *node, struct cel_value value)
{
	node->op = CEL_CONST;
	node->value = value;
	node->count = 0;
	node->path = NULL;
}

static int
find_local(const struct checker *checker, const struct cel_node *node)
{
	for (int i = checker->count; i-- > 0 && !node->absolute;)
		if (strcmp(checker->locals[i], node->name) == 0)
			return i;
	return -1;
}

static int
check_name(struct checker *checker, struct cel_node *node)
{
	int local = find_local(checker, node);
	struct cel_value type = { .kind = CEL_TYPE };

	if (local >= 0) {
		node->op = CEL_LOCAL;
		node->slot = local;
		node->path = NULL;
	} else if (cel_type_named(node->name, &type.type)) {
		make_constant(node, type);
	}
	return 0;
}

static int
check_select(struct checker *checker, struct cel_node *node)
{
	struct cel_value type = { .kind = CEL_TYPE };

	if (check_kids(checker, node) < 0)
		return -1;
	if (node->kids[0]->path == NULL)
		node->path = NULL;
	if (node->path != NULL && cel_type_named(node->path, &type.type))
		make_constant(node, type);
	return 0;
}

/* A macro's variable: lives in the slot it is given from now on. -1: it is none. */
static int
add_local(struct checker *checker, const struct cel_node *name)
{
	if (name->op != CEL_NAME || name->absolute)
		return fail(checker, name, "a variable's name is expected here");
	if (checker->count == CEL_LOCALS_MAX)
		return fail(checker, name, "too many variables at once");
	checker->locals[checker->count] = name->name;
	return checker->count++;
}

static int
check_has(struct checker *checker, struct cel_node *node)
{
	struct cel_node *member;

	if (node->count != 1 || node->kids[0]->op != CEL_SELECT)
		return fail(checker, node,
			    "has() asks for a member: has(a.b); for a key write "
			    "\"b\" in a");
	member = node->kids[0];
	*node = (struct cel_node){ .op = CEL_HAS,
				   .at = member->at,
				   .depth = node->depth,
				   .kids = member->kids,
				   .count = 1,
				   .name = member->name,
				   .name_len = member->name_len };
	return check_kids(checker, node);
}

static int
check_fold(struct checker *checker, struct cel_node *node, const struct macro *macro)
{
	struct cel_node **args = node->kids + 1, **kids;
	int outside = checker->count, slots[2] = { -1, -1 };

	kids = arena_zalloc(&checker->cel->arena, 3 * sizeof *kids);
	kids[0] = node->kids[0];
	if (macro->filter)
		kids[1] = args[macro->variables];
	if (macro->body)
		kids[2] = args[macro->args - 1];
	if (check(checker, kids[0]) < 0)
		return -1;
	for (int i = 0; i < macro->variables; i++) {
		slots[i] = add_local(checker, args[i]);
		if (slots[i] < 0)
			return -1;
	}
	if (macro->variables == 2 && strcmp(args[0]->name, args[1]->name) == 0)
		return fail(checker, args[1], "two variables of one name");
	node->op = CEL_FOLD;
	node->fold = macro->fold;
	node->slot = macro->variables == 2 ? slots[0] : -1;
	node->value_slot = slots[macro->variables - 1];
	node->kids = kids;
	node->count = 3;
	for (int i = 1; i < 3; i++)
		if (kids[i] != NULL && check(checker, kids[i]) < 0)
			return -1;
	checker->count = outside;
	return 0;
}

/* cel.bind(x, value, expression) */
static int
check_bind(struct checker *checker, struct cel_node *node)
{
	if (node->count != 4)
		return fail(checker, node, "cel.bind(x, value, expression)");
	if (check(checker, node->kids[2]) < 0)
		return -1;
	node->slot = add_local(checker, node->kids[1]);
	if (node->slot < 0)
		return -1;
	node->op = CEL_BIND;
	node->kids += 2;
	node->count = 2;
	if (check(checker, node->kids[1]) < 0)
		return -1;
	checker->count--;
	return 0;
}

static int
unknown_function(struct checker *checker, struct cel_node *node, const char *name)
{
	const char *nearest = cel_function_nearest(name);
	const struct cel_function *other = cel_function_find(name, !node->member);

	if (checker->lenient)
		return check_kids(checker, node);
	if (other != NULL)
		return fail(checker, node, "%s is written %s", name, other->usage);
	if (nearest != NULL)
		return fail(checker, node,
			    "unknown function \"%.60s\"; did you mean \"%s\"?", name,
			    nearest);
	return fail(checker, node, "unknown function \"%.60s\"", name);
}

static void
keep_regex(struct cel *cel, struct regex *regex)
{
	cel->regexes =
	    xrealloc(cel->regexes, cel->regexes_count + 1, sizeof *cel->regexes);
	cel->regexes[cel->regexes_count++] = regex;
}

static int
check_pattern(struct checker *checker, struct cel_node *node)
{
	const struct cel_node *pattern = node->kids[1];
	struct err err = { 0 };

	if (pattern->op != CEL_CONST || pattern->value.kind != CEL_STRING)
		return 0;
	node->regex =
	    regex_compile(pattern->value.text.data, pattern->value.text.len, &err);
	if (node->regex != NULL)
		keep_regex(checker->cel, node->regex);
	else if (!checker->lenient)
		return fail(checker, pattern, "this regex is wrong: %.200s", err.text);
	return 0;
}

static int
check_function(struct checker *checker, struct cel_node *node,
	       const struct cel_function *function)
{
	if (node->count < function->least || node->count > function->most) {
		if (checker->lenient)
			return check_kids(checker, node);
		return fail(checker, node, "%s takes other arguments: %s",
			    function->name, function->usage);
	}
	node->function = function;
	if (check_kids(checker, node) < 0)
		return -1;
	return strcmp(function->name, "matches") == 0 ? check_pattern(checker, node)
						      : 0;
}

/* math.least(1, 2): the target is no value but a part of the name. */
static int
check_namespace(struct checker *checker, struct cel_node *node)
{
	const struct cel_function *function;
	char name[128];

	snprintf(name, sizeof name, "%.60s.%.60s", node->kids[0]->name, node->name);
	if (strcmp(name, "cel.bind") == 0)
		return check_bind(checker, node);
	function = cel_function_find(name, false);
	if (function == NULL)
		return unknown_function(checker, node, name);
	node->member = false;
	node->kids++;
	node->count--;
	return check_function(checker, node, function);
}

static bool
is_namespace(const struct checker *checker, const struct cel_node *node)
{
	return node->op == CEL_NAME && find_local(checker, node) < 0 &&
	       (strcmp(node->name, "cel") == 0 || cel_function_namespace(node->name));
}

static const struct macro *
find_macro(const struct cel_node *node, const char **usage)
{
	*usage = NULL;
	for (size_t i = 0; i < MACROS; i++) {
		if (strcmp(macros[i].name, node->name) != 0)
			continue;
		if (*usage == NULL)
			*usage = macros[i].usage;
		if (macros[i].args == node->count - 1)
			return &macros[i];
	}
	return NULL;
}

static int
check_member_call(struct checker *checker, struct cel_node *node)
{
	const struct cel_function *function;
	const struct macro *macro;
	const char *usage;

	if (is_namespace(checker, node->kids[0]))
		return check_namespace(checker, node);
	macro = find_macro(node, &usage);
	if (macro != NULL)
		return check_fold(checker, node, macro);
	if (usage != NULL)
		return fail(checker, node, "%s is used as %s", node->name, usage);
	function = cel_function_find(node->name, true);
	if (function == NULL)
		return unknown_function(checker, node, node->name);
	return check_function(checker, node, function);
}

static int
check_call(struct checker *checker, struct cel_node *node)
{
	const struct cel_function *function;

	if (node->count > CEL_ARGS_MAX)
		return fail(checker, node, "more than %d arguments", CEL_ARGS_MAX);
	if (node->member)
		return check_member_call(checker, node);
	if (strcmp(node->name, "has") == 0)
		return check_has(checker, node);
	function = cel_function_find(node->name, false);
	if (function == NULL)
		return unknown_function(checker, node, node->name);
	return check_function(checker, node, function);
}

static int
check(struct checker *checker, struct cel_node *node)
{
	switch (node->op) {
	case CEL_NAME:
		return check_name(checker, node);
	case CEL_SELECT:
		return check_select(checker, node);
	case CEL_CALL:
		return check_call(checker, node);
	default:
		return check_kids(checker, node);
	}
}

int
cel_check(struct cel *cel, bool lenient, struct cel_mistake *mistake)
{
	struct checker checker = { .cel = cel, .lenient = lenient, .mistake = mistake };

	return check(&checker, cel->root);
}
