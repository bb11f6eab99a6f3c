/* Documents with places, the list of problems, and the nearest name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/doc.h"
#include "base/xalloc.h"

static struct doc *
scalar(const char *text, int line, int column)
{
	struct doc *doc = doc_new(DOC_SCALAR, line, column);

	doc->text = xstrdup(text);
	doc->len = strlen(text);
	return doc;
}

static void
put(struct doc *map, const char *name, const char *text)
{
	struct doc *key = scalar(name, 1, 1), *item = scalar(text, 1, 5);

	doc_put(map, &key, &item);
	assert_null(key);
	assert_null(item);
}

static void
test_a_tree_is_built_and_read(void **state)
{
	struct doc *map = doc_new(DOC_MAP, 1, 1), *list = doc_new(DOC_LIST, 2, 3), *key;

	(void)state;
	for (int i = 0; i < 100; i++) {
		struct doc *item = scalar("x", i, 1);

		doc_append(list, &item);
		assert_null(item);
	}
	key = scalar("list", 2, 1);
	doc_put(map, &key, &list);
	for (int i = 0; i < 20; i++) {
		char name[3] = { 'k', (char)('a' + i), '\0' };

		put(map, name, name + 1);
	}
	assert_int_equal(map->count, 21);
	assert_int_equal(doc_get(map, "list")->count, 100);
	assert_int_equal(doc_get(map, "list")->items[99]->line, 99);
	assert_string_equal(doc_get(map, "kt")->text, "t");
	assert_null(doc_get(map, "k"));
	assert_null(doc_get(doc_get(map, "list"), "x"));
	assert_null(doc_get(NULL, "x"));
	doc_free(&map);
	assert_null(map);
	doc_free(&map);
}

static void
check_problem(const char *file, int line, const char *path, const char *expected)
{
	struct problems problems = { .file = xstrdup(file) };
	char *text;

	problems_add_at(&problems, line, 7, path, "%d is more than %d", 900, 256);
	text = problem_text(&problems, 0);
	assert_string_equal(text, expected);
	free(text);
	problems_fini(&problems);
}

static void
test_problems_say_where(void **state)
{
	(void)state;
	check_problem("a.yaml", 14, "worker.slots",
		      "a.yaml:14:7 worker.slots: 900 is more than 256");
	check_problem("a.yaml", 14, "", "a.yaml:14:7: 900 is more than 256");
	check_problem("a.yaml", 0, "", "a.yaml: 900 is more than 256");
	check_problem(NULL, 14, "x", "14:7 x: 900 is more than 256");
	check_problem(NULL, 0, "x", "x: 900 is more than 256");
	check_problem(NULL, 0, NULL, "900 is more than 256");
}

static void
test_problems_of_a_document(void **state)
{
	struct problems problems = { 0 };
	struct doc *doc = scalar("x", 3, 9);

	(void)state;
	problems_add(&problems, doc, "a.b", "is %s", "wrong");
	problems_add(&problems, NULL, "c", "is missing");
	assert_int_equal(problems.count, 2);
	assert_int_equal(problems.list[0].line, 3);
	assert_int_equal(problems.list[0].column, 9);
	assert_string_equal(problems.list[0].path, "a.b");
	assert_string_equal(problems.list[0].message, "is wrong");
	assert_int_equal(problems.list[1].line, 0);
	doc_free(&doc);
	problems_fini(&problems);
}

static void
test_the_list_of_problems_ends(void **state)
{
	struct problems problems = { 0 };

	(void)state;
	for (int i = 0; i < 10000; i++)
		problems_add_at(&problems, i, 1, "", "wrong");
	assert_int_equal(problems.count, 100);
	assert_string_equal(problems.list[98].message, "wrong");
	assert_string_equal(problems.list[99].message,
			    "there are more problems than are shown");
	problems_fini(&problems);
}

static void
test_the_nearest_name(void **state)
{
	static const char *const names[] = { "model",  "tool",  "http", "wait",
					     "linear", "fixed", "id",   NULL };
	static const struct {
		const char *written, *nearest;
	} cases[] = {
		{ "modle", "model" },   { "model", "model" },   { "mdel", "model" },
		{ "toool", "tool" },    { "htpt", "http" },     { "linaer", "linear" },
		{ "lineer", "linear" }, { "xinaer", "linear" }, { "expo", NULL },
		{ "x", NULL },          { "ix", NULL },         { "", NULL },
		{ "MODEL", NULL },
	};
	char huge[5000];

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const char *nearest = nearest_name(cases[i].written, names);

		if (cases[i].nearest == NULL)
			assert_null(nearest);
		else
			assert_string_equal(nearest, cases[i].nearest);
	}
	memset(huge, 'x', sizeof huge - 1);
	huge[sizeof huge - 1] = '\0';
	assert_null(nearest_name(huge, names));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_tree_is_built_and_read),
		cmocka_unit_test(test_problems_say_where),
		cmocka_unit_test(test_problems_of_a_document),
		cmocka_unit_test(test_the_list_of_problems_ends),
		cmocka_unit_test(test_the_nearest_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
