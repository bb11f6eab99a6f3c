/*
 * Evaluates the cases that extract.mjs wrote and compares: driver CASES [-v]. Values
 * are typed, so it works under cel.h, with variables that JSON cannot hold. Prints
 * counts by section and each failure; exits 1 when there is one, or no case at all.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "lang/cel_compare.h"
#include "lang/cel_eval.h"
#include "lang/cel_text.h"
#include "lang/cel_time.h"
#include "json/json.h"

#define SECTIONS_MAX 64

struct counts {
	const char *section;
	int passed, failed, excepted;
};

struct suite {
	struct counts counts[SECTIONS_MAX];
	size_t sections;
	bool verbose;
};

struct scope {
	struct arena arena;
	const struct json *bindings;
};

static struct cel_value read_value(struct arena *arena, const struct json *typed);

static _Noreturn void
die(const char *what, const char *detail)
{
	fprintf(stderr, "driver: %s: %s\n", what, detail);
	exit(2);
}

static struct cel_value
read_text(struct arena *arena, enum cel_kind kind, const char *data, size_t len)
{
	return cel_text(kind, arena_strndup(arena, data, len), len);
}

static struct cel_value
read_bytes(struct arena *arena, const struct json *json)
{
	struct buf bytes = { 0 };
	struct cel_value value;

	if (!cel_base64_read(json_str(json), json_str_len(json), &bytes))
		die("no base64", json_str(json));
	value = read_text(arena, CEL_BYTES, buf_text(&bytes), bytes.len);
	buf_fini(&bytes);
	return value;
}

static struct cel_value
read_list(struct arena *arena, const struct json *list)
{
	const struct json *values = json_get(list, "values");
	size_t count = json_count(values);
	struct cel_value *items = arena_alloc(arena, (count + 1) * sizeof *items);

	for (size_t i = 0; i < count; i++)
		items[i] = read_value(arena, json_at(values, i));
	return cel_items(CEL_LIST, items, count);
}

static struct cel_value
read_map(struct arena *arena, const struct json *map)
{
	const struct json *entries = json_get(map, "entries");
	size_t count = json_count(entries);
	struct cel_value *pairs = arena_alloc(arena, (2 * count + 1) * sizeof *pairs);

	for (size_t i = 0; i < count; i++) {
		pairs[2 * i] = read_value(arena, json_get(json_at(entries, i), "key"));
		pairs[2 * i + 1] =
		    read_value(arena, json_get(json_at(entries, i), "value"));
	}
	return cel_items(CEL_MAP, pairs, count);
}

static struct cel_value
read_object(const struct json *object)
{
	const char *type = json_str(json_get(object, "@type"));
	const struct json *json = json_get(object, "value");
	struct cel_value value = { .kind = CEL_TIMESTAMP };

	if (strstr(type, "Timestamp") != NULL) {
		if (!cel_timestamp_parse(json_str(json), json_str_len(json),
					 &value.time))
			die("no timestamp", json_str(json));
		return value;
	}
	value.kind = CEL_DURATION;
	if (!cel_duration_parse(json_str(json), json_str_len(json), &value.integer))
		die("no duration", json_str(json));
	return value;
}

static double
read_double(const struct json *json)
{
	return json_str(json) != NULL ? strtod(json_str(json), NULL)
				      : json_double(json);
}

static struct cel_value
read_value(struct arena *arena, const struct json *typed)
{
	struct json_iter it = json_iter(typed);
	struct cel_value type = { .kind = CEL_TYPE };
	const char *text;

	if (!json_next(&it))
		die("no value", "an empty object");
	text = json_str(it.value);
	if (strcmp(it.key, "nullValue") == 0)
		return cel_null();
	if (strcmp(it.key, "boolValue") == 0)
		return cel_bool(json_bool(it.value));
	if (strcmp(it.key, "int64Value") == 0)
		return cel_int(strtoll(text, NULL, 10));
	if (strcmp(it.key, "uint64Value") == 0)
		return cel_uint(strtoull(text, NULL, 10));
	if (strcmp(it.key, "doubleValue") == 0)
		return cel_double(read_double(it.value));
	if (strcmp(it.key, "stringValue") == 0)
		return read_text(arena, CEL_STRING, text, json_str_len(it.value));
	if (strcmp(it.key, "bytesValue") == 0)
		return read_bytes(arena, it.value);
	if (strcmp(it.key, "listValue") == 0)
		return read_list(arena, it.value);
	if (strcmp(it.key, "mapValue") == 0)
		return read_map(arena, it.value);
	if (strcmp(it.key, "objectValue") == 0)
		return read_object(it.value);
	if (strcmp(it.key, "typeValue") == 0 && cel_type_named(text, &type.type))
		return type;
	die("unknown kind of value", it.key);
}

static bool
lookup(void *context, const char *name, struct cel_value *out)
{
	struct scope *scope = context;

	if (!json_has(scope->bindings, name))
		return false;
	*out = read_value(&scope->arena, json_get(scope->bindings, name));
	return true;
}

/* Not as CEL compares: 1 and 1u are different answers, NaN and NaN are one. */
static bool
same(struct cel_run *run, const struct cel_value *a, const struct cel_value *b)
{
	struct cel_value left, right;

	if (a->kind != b->kind)
		return false;
	if (a->kind == CEL_DOUBLE && isnan(a->real))
		return isnan(b->real);
	if (a->kind != CEL_LIST && a->kind != CEL_MAP)
		return cel_equal(run, a, b);
	if (cel_count(a) != cel_count(b))
		return false;
	for (struct cel_iter it = cel_iter(a); cel_next(&it);) {
		left = it.value;
		if (a->kind == CEL_LIST)
			right = cel_list_at(b, (size_t)it.key.integer);
		else if (!cel_map_get(b, &it.key, &right))
			return false;
		if (!same(run, &left, &right))
			return false;
	}
	return true;
}

/* NULL when the answer is the expected one, else what it was. */
static const char *
judge(struct cel_run *run, const struct json *one, const struct cel_value *got,
      struct arena *arena)
{
	static char text[300];
	struct cel_value wanted;
	char shown[100];

	if (json_bool(json_get(one, "error"))) {
		snprintf(text, sizeof text, "an error was expected, got %s",
			 cel_show(got, shown, sizeof shown));
		return got->kind == CEL_ERROR ? NULL : text;
	}
	if (got->kind == CEL_ERROR) {
		snprintf(text, sizeof text, "%s", got->fault->text);
		return text;
	}
	wanted = read_value(arena, json_get(one, "value"));
	if (same(run, got, &wanted))
		return NULL;
	snprintf(text, sizeof text, "got %s %s", cel_kind_name(got->kind),
		 cel_show(got, shown, sizeof shown));
	return text;
}

static bool
run_case(const struct json *one)
{
	const char *expr = json_str(json_get(one, "expr")), *wrong;
	size_t len = json_str_len(json_get(one, "expr"));
	bool lenient = json_bool(json_get(one, "lenient"));
	struct scope scope = { .bindings = json_get(one, "bindings") };
	struct cel_env env = { lookup, &scope, true };
	struct err err = { 0 };
	struct cel *cel = lenient ? cel_compile_lenient(expr, len, NULL, &err)
				  : cel_compile(expr, len, NULL, &err);
	struct cel_run run;
	struct cel_value value;

	if (cel == NULL) {
		printf("FAIL %s %s: %s\n     %s\n", json_str(json_get(one, "section")),
		       json_str(json_get(one, "name")), expr, err.text);
		return false;
	}
	arena_init(&scope.arena, NULL, 0);
	cel_run_init(&run, &env);
	value = cel_eval_root(&run, cel);
	wrong = judge(&run, one, &value, &scope.arena);
	if (wrong != NULL)
		printf("FAIL %s %s: %s\n     %s\n", json_str(json_get(one, "section")),
		       json_str(json_get(one, "name")), expr, wrong);
	cel_run_fini(&run);
	arena_fini(&scope.arena);
	cel_free(&cel);
	return wrong == NULL;
}

static struct counts *
section_of(struct suite *suite, const char *name)
{
	for (size_t i = 0; i < suite->sections; i++)
		if (strcmp(suite->counts[i].section, name) == 0)
			return &suite->counts[i];
	if (suite->sections == SECTIONS_MAX)
		die("too many sections", name);
	suite->counts[suite->sections].section = name;
	return &suite->counts[suite->sections++];
}

static void
run_cases(struct suite *suite, const struct json *cases)
{
	struct counts *counts;
	const struct json *one;

	for (size_t i = 0; i < json_count(cases); i++) {
		one = json_at(cases, i);
		counts = section_of(suite, json_str(json_get(one, "section")));
		if (json_str(json_get(one, "excepted")) != NULL) {
			counts->excepted++;
			if (suite->verbose)
				printf("excepted %s %s: %s\n", counts->section,
				       json_str(json_get(one, "name")),
				       json_str(json_get(one, "excepted")));
		} else if (run_case(one)) {
			counts->passed++;
		} else {
			counts->failed++;
		}
	}
}

static int
report(const struct suite *suite)
{
	struct counts all = { .section = "all" };

	printf("%-16s %7s %7s %9s\n", "section", "passed", "failed", "excepted");
	for (size_t i = 0; i < suite->sections; i++) {
		const struct counts *one = &suite->counts[i];

		printf("%-16s %7d %7d %9d\n", one->section, one->passed, one->failed,
		       one->excepted);
		all.passed += one->passed;
		all.failed += one->failed;
		all.excepted += one->excepted;
	}
	printf("%-16s %7d %7d %9d\n", all.section, all.passed, all.failed,
	       all.excepted);
	return all.failed == 0 && all.passed > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static struct json *
read_cases(const char *path)
{
	FILE *file = fopen(path, "rb");
	struct buf text = { 0 };
	struct err err = { 0 };
	struct json *cases;
	size_t got;

	if (file == NULL)
		die("cannot open", path);
	while ((got = fread(buf_reserve(&text, 65536), 1, 65536, file)) > 0)
		buf_grow(&text, got);
	fclose(file);
	if (json_parse(buf_text(&text), text.len, &cases, &err) < 0)
		die(path, err.text);
	buf_fini(&text);
	return cases;
}

int
main(int argc, char **argv)
{
	struct suite suite = { 0 };
	struct json *cases;
	int status;

	if (argc < 2)
		die("usage", "driver CASES [-v]");
	suite.verbose = argc > 2 && strcmp(argv[2], "-v") == 0;
	cases = read_cases(argv[1]);
	run_cases(&suite, cases);
	status = report(&suite);
	json_unref(&cases);
	return status;
}
