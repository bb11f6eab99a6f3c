/* CEL from outside: compile, evaluate, and which variables an expression reads. */
#include "lang/cel.h"

#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "base/xalloc.h"
#include "lang/cel_eval.h"
#include "lang/cel_json.h"
#include "lang/cel_node.h"
#include "lang/regex.h"

static const struct cel_place origin = { 1, 1 };

static struct cel *
fail(struct cel **cel_p, const struct cel_mistake *mistake, struct cel_place start,
     struct cel_place *place, struct err *err)
{
	struct cel_place here = cel_place_at((*cel_p)->source, mistake->at);

	if (here.line == 1)
		here.column += start.column - 1;
	here.line += start.line - 1;
	if (place != NULL)
		*place = here;
	err_set(err, ERR_INPUT, "%d:%d: %s", here.line, here.column, mistake->text);
	cel_free(cel_p);
	return NULL;
}

static struct cel *
compile(const char *text, size_t len, bool lenient, struct cel_place start,
	struct cel_place *place, struct err *err)
{
	struct cel *cel = xcalloc(1, sizeof *cel);
	struct cel_mistake mistake = { 0 };

	cel->source = xstrndup(text, len < CEL_TEXT_MAX ? len : CEL_TEXT_MAX);
	cel->len = len;
	arena_init(&cel->arena, NULL, 0);
	if (len > CEL_TEXT_MAX) {
		strcpy(mistake.text, "an expression has at most 65536 bytes");
		return fail(&cel, &mistake, start, place, err);
	}
	if (!utf8_valid(text, len)) {
		strcpy(mistake.text, "this is not UTF-8");
		return fail(&cel, &mistake, start, place, err);
	}
	cel->root = cel_parse(&cel->arena, cel->source, len, &mistake);
	if (cel->root == NULL || cel_check(cel, lenient, &mistake) < 0)
		return fail(&cel, &mistake, start, place, err);
	return cel;
}

struct cel *
cel_compile(const char *text, size_t len, struct cel_place *place, struct err *err)
{
	return compile(text, len, false, origin, place, err);
}

struct cel *
cel_compile_lenient(const char *text, size_t len, struct cel_place *place,
		    struct err *err)
{
	return compile(text, len, true, origin, place, err);
}

struct cel *
cel_compile_at(const char *text, size_t len, struct cel_place start,
	       struct cel_place *place, struct err *err)
{
	return compile(text, len, false, start, place, err);
}

void
cel_free(struct cel **cel_p)
{
	struct cel *cel = *cel_p;

	*cel_p = NULL;
	if (cel == NULL)
		return;
	for (size_t i = 0; i < cel->regexes_count; i++)
		regex_free(&cel->regexes[i]);
	free(cel->regexes);
	arena_fini(&cel->arena);
	free(cel->source);
	free(cel);
}

const char *
cel_source(const struct cel *cel)
{
	return cel->source;
}

static bool
lookup(void *context, const char *name, struct cel_value *out)
{
	const struct cel_scope *scope = context;
	struct json *json = NULL;

	if (scope == NULL || !scope->lookup(scope->context, name, &json))
		return false;
	*out = cel_from_json(json);
	return true;
}

struct cel_value
cel_eval_root(struct cel_run *run, const struct cel *cel)
{
	struct cel_value value = cel_eval_node(run, cel->root);

	return run->cost < 0 ? cel_spent(run) : value;
}

/* place: NULL, or where the error's place goes instead of into its text. */
static int
report(const struct cel *cel, const struct cel_fault *fault, struct cel_place *place,
       struct err *err)
{
	if (place == NULL)
		return cel_report(cel->source, fault, err);
	*place = cel_place_at(cel->source, fault->at);
	return cel_report(NULL, fault, err);
}

int
cel_eval_placed(const struct cel *cel, const struct cel_scope *scope, struct json **out,
		struct cel_place *place, struct err *err)
{
	struct cel_env env = { lookup, (void *)scope, false };
	struct cel_run run;
	struct cel_value value;
	int done = 0;

	*out = NULL;
	cel_run_init(&run, &env);
	value = cel_eval_root(&run, cel);
	run.node = cel->root;
	if (value.kind != CEL_ERROR)
		value = cel_to_json(&run, &value, out);
	if (value.kind == CEL_ERROR)
		done = report(cel, value.fault, place, err);
	cel_run_fini(&run);
	return done;
}

int
cel_eval(const struct cel *cel, const struct cel_scope *scope, struct json **out,
	 struct err *err)
{
	return cel_eval_placed(cel, scope, out, NULL, err);
}

int
cel_test(const struct cel *cel, const struct cel_scope *scope, bool *out,
	 struct err *err)
{
	struct cel_env env = { lookup, (void *)scope, false };
	struct cel_run run;
	struct cel_value value;
	int done = 0;

	cel_run_init(&run, &env);
	value = cel_eval_root(&run, cel);
	run.node = cel->root;
	if (value.kind == CEL_BOOL)
		*out = value.truth;
	else if (value.kind != CEL_ERROR)
		value = cel_fail(&run, "a condition is true or false, this is %s",
				 cel_kind_name(value.kind));
	if (value.kind == CEL_ERROR)
		done = report(cel, value.fault, NULL, err);
	cel_run_fini(&run);
	return done;
}

/* The member that is read of a node, if it is written literally. */
static const char *
literal_member(const struct cel_node *node)
{
	if (node->op == CEL_SELECT || node->op == CEL_HAS)
		return node->name;
	if (node->op == CEL_INDEX && node->kids[1]->op == CEL_CONST &&
	    node->kids[1]->value.kind == CEL_STRING)
		return node->kids[1]->value.text.data;
	return NULL;
}

/* member: what is read of the node; field: and of that. */
static void
walk(const struct cel_node *node, const char *member, const char *field, cel_ref_fn *fn,
     void *context)
{
	const char *of_first;

	if (node->op == CEL_NAME)
		fn(context, node->name, member, field);
	of_first = literal_member(node);
	for (size_t i = 0; i < node->count; i++) {
		bool first = i == 0 && of_first != NULL;

		if (node->kids[i] != NULL)
			walk(node->kids[i], first ? of_first : NULL,
			     first ? member : NULL, fn, context);
	}
}

void
cel_refs(const struct cel *cel, cel_ref_fn *fn, void *context)
{
	walk(cel->root, NULL, NULL, fn, context);
}
