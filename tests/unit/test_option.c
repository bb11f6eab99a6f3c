/* Options: every type, every kind of mistake, what the environment does, the dump. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/usec.h"
#include "conf/option.h"
#include "conf/yaml.h"

struct conf {
	char *text, *secret;
	long count, bytes;
	usec_t duration;
	bool flag;
	struct texts texts;
	char *top;
	double number;
	struct doc *tree;
};

#define AT(field) offsetof(struct conf, field)

// clang-format off
static const struct option table[] = {
	{ "one.text", OPT_TEXT, AT(text), "hello", NULL, NULL, 0, "a text" },
	{ "one.secret", OPT_TEXT, AT(secret), NULL, NULL, NULL, OPT_SECRET, "a secret" },
	{ "one.count", OPT_COUNT, AT(count), "8", "1", "256", OPT_RELOAD, "a count" },
	{ "two.bytes", OPT_BYTES, AT(bytes), "4MiB", "1KiB", "1GiB", 0, "some bytes" },
	{ "two.some-time", OPT_DURATION, AT(duration), "1h30m", "1s", "1d", 0, "a time" },
	{ "two.flag", OPT_FLAG, AT(flag), "true", NULL, NULL, 0, "a flag" },
	{ "texts", OPT_TEXTS, AT(texts), "a, b", NULL, NULL, 0, "some texts" },
	{ "number", OPT_NUMBER, AT(number), "0.5", NULL, NULL, 0, "a number" },
	{ "tree", OPT_TREE, AT(tree), NULL, NULL, NULL, 0, "a tree" },
	{ "top", OPT_TEXT, AT(top), NULL, NULL, NULL, 0, "a text without a section" },
	{ .name = NULL },
};
// clang-format on

/* Reads text over the defaults; the problems as lines. */
static char *
read_text(struct conf *conf, const char *text)
{
	struct problems problems = { .file = strdup("c.yaml") };
	struct buf lines = { 0 };
	struct doc *doc = yaml_parse(text, strlen(text), &problems);

	*conf = (struct conf){ 0 };
	option_defaults(table, conf);
	assert_non_null(doc);
	option_read(table, doc, conf, &problems);
	for (size_t i = 0; i < problems.count; i++) {
		char *line = problem_text(&problems, i);

		buf_printf(&lines, "%s\n", line);
		free(line);
	}
	doc_free(&doc);
	problems_fini(&problems);
	return buf_take(&lines);
}

static void
expect_problems(const char *text, const char *expected)
{
	struct conf conf;
	char *lines = read_text(&conf, text);

	assert_string_equal(lines, expected);
	free(lines);
	option_fini(table, &conf);
}

static void
test_the_defaults(void **state)
{
	struct conf conf = { 0 };

	(void)state;
	option_defaults(table, &conf);
	assert_string_equal(conf.text, "hello");
	assert_null(conf.secret);
	assert_int_equal(conf.count, 8);
	assert_int_equal(conf.bytes, 4 << 20);
	assert_int_equal(conf.duration, 5400 * USEC_SECOND);
	assert_true(conf.flag);
	assert_int_equal(conf.texts.count, 2);
	assert_string_equal(conf.texts.list[1], "b");
	option_fini(table, &conf);
	assert_null(conf.text);
	assert_int_equal(conf.texts.count, 0);
}

static void
test_every_type_is_read(void **state)
{
	struct conf conf;
	char *lines = read_text(&conf, "one: { text: 12, secret: 's', count: 256 }\n"
				       "two:\n"
				       "  bytes: 1024\n"
				       "  some-time: 2s\n"
				       "  flag: Off\n"
				       "texts: [x, \"y z\"]\n"
				       "top: t\n");

	(void)state;
	assert_string_equal(lines, "");
	assert_string_equal(conf.text, "12");
	assert_string_equal(conf.secret, "s");
	assert_int_equal(conf.count, 256);
	assert_int_equal(conf.bytes, 1024);
	assert_int_equal(conf.duration, 2 * USEC_SECOND);
	assert_false(conf.flag);
	assert_int_equal(conf.texts.count, 2);
	assert_string_equal(conf.texts.list[1], "y z");
	assert_string_equal(conf.top, "t");
	free(lines);
	option_fini(table, &conf);
}

static void
test_an_empty_value_leaves_the_default(void **state)
{
	struct conf conf;
	char *lines =
	    read_text(&conf, "one:\n  text:\n  count: ~\ntwo:\ntexts: null\n");

	(void)state;
	assert_string_equal(lines, "");
	assert_string_equal(conf.text, "hello");
	assert_int_equal(conf.count, 8);
	assert_int_equal(conf.texts.count, 2);
	free(lines);
	option_fini(table, &conf);
}

static void
test_an_empty_list_is_empty(void **state)
{
	struct conf conf;
	char *lines = read_text(&conf, "texts: []\n");

	(void)state;
	assert_string_equal(lines, "");
	assert_int_equal(conf.texts.count, 0);
	free(lines);
	option_fini(table, &conf);
}

static void
test_all_mistakes_are_told_with_their_places(void **state)
{
	(void)state;
	expect_problems(
	    "one:\n"
	    "  count: 900\n"
	    "  cuont: 1\n"
	    "  text: [a]\n"
	    "two: { bytes: 12 MB, some-time: 10, flag: maybe }\n"
	    "texts: a\n"
	    "tow: { flag: true }\n"
	    "unrelated: 1\n",
	    "c.yaml:2:10: one.count: 900 is more than 256\n"
	    "c.yaml:3:3: one.cuont: unknown key, did you mean one.count?\n"
	    "c.yaml:4:9: one.text: expected one value\n"
	    "c.yaml:5:15: two.bytes: \"12 MB\" is not a size, like 64KiB, 4MiB or "
	    "1GiB\n"
	    "c.yaml:5:33: two.some-time: \"10\" is not a duration: a number lacks its "
	    "unit, like 10s\n"
	    "c.yaml:5:43: two.flag: \"maybe\" is not true or false\n"
	    "c.yaml:6:8: texts: expected a list\n"
	    "c.yaml:7:1: tow: unknown key, did you mean two?\n"
	    "c.yaml:8:1: unrelated: unknown key\n");
}

static void
test_the_limits_are_exact(void **state)
{
	(void)state;
	expect_problems("one: { count: 1 }", "");
	expect_problems("one: { count: 0 }",
			"c.yaml:1:15: one.count: 0 is less than 1\n");
	expect_problems("one: { count: 257 }",
			"c.yaml:1:15: one.count: 257 is more than 256\n");
	expect_problems("two: { bytes: 1KiB }", "");
	expect_problems("two: { bytes: 1023B }",
			"c.yaml:1:15: two.bytes: 1023B is less than 1KiB\n");
	expect_problems("two: { bytes: 1073741825 }",
			"c.yaml:1:15: two.bytes: 1073741825 is more than 1GiB\n");
	expect_problems("two: { some-time: 1d }", "");
	expect_problems("two: { some-time: 999ms }",
			"c.yaml:1:19: two.some-time: 999ms is less than 1s\n");
	expect_problems("two: { some-time: 0 }",
			"c.yaml:1:19: two.some-time: 0 is less than 1s\n");
}

static void
test_numbers_are_strict(void **state)
{
	static const char *const wrong[] = {
		"-1",  "+1",    "1.5", "0x10", "1e2",
		"1_0", "\" \"", "x",   "1 2",  "99999999999999999999"
	};
	char text[64], line[128], shown[32];

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		snprintf(text, sizeof text, "one: { count: %s }", wrong[i]);
		snprintf(shown, sizeof shown, "%s",
			 wrong[i][0] == '"' ? " " : wrong[i]);
		snprintf(line, sizeof line,
			 "c.yaml:1:15: one.count: \"%s\" is not a whole number\n",
			 shown);
		expect_problems(text, line);
	}
	expect_problems("two: { bytes: 9999999999GiB }",
			"c.yaml:1:15: two.bytes: \"9999999999GiB\" is not a size, like "
			"64KiB, 4MiB or 1GiB\n");
	expect_problems(
	    "two: { bytes: MiB }",
	    "c.yaml:1:15: two.bytes: \"MiB\" is not a size, like 64KiB, 4MiB "
	    "or 1GiB\n");
}

static void
test_shapes_that_do_not_fit(void **state)
{
	(void)state;
	expect_problems("one: 5\n", "c.yaml:1:6: one: expected keys with values\n");
	expect_problems("- one\n", "c.yaml:1:1: expected keys with values\n");
	expect_problems("texts: [a, [b], \"c\\0d\", \"\"]\n",
			"c.yaml:1:12: texts: expected a list of words\n"
			"c.yaml:1:17: texts: expected a list of words\n"
			"c.yaml:1:25: texts: expected a list of words\n");
	expect_problems("one: { text: \"a\\0b\" }\n",
			"c.yaml:1:14: one.text: \\0 is not allowed\n");
	expect_problems("one: { text: { a: b } }\n",
			"c.yaml:1:14: one.text: expected one value\n");
	expect_problems("\"one.count\": 3\n", "");
}

static void
test_the_environment_wins(void **state)
{
	char *environment[] = {
		(char *)"STEPMILL_ONE_COUNT=9",     (char *)"STEPMILL_TWO_SOME_TIME=5s",
		(char *)"STEPMILL_TEXTS= x ,y,, z", (char *)"STEPMILL_ONE_TEXT=",
		(char *)"STEPMILL_TWO_FLAG=no",     (char *)"STEPMILL_TWO_BYTES=7",
		(char *)"STEPMILL_ONE_COUNTER=1",   NULL
	};
	struct problems problems = { .file = strdup("environment") };
	struct conf conf;
	char *lines = read_text(&conf, "one: { count: 3, text: t }"), *line;

	(void)state;
	option_environment(table, environment, &conf, &problems);
	assert_int_equal(conf.count, 9);
	assert_int_equal(conf.duration, 5 * USEC_SECOND);
	assert_false(conf.flag);
	assert_int_equal(conf.texts.count, 3);
	assert_string_equal(conf.texts.list[0], "x");
	assert_string_equal(conf.texts.list[2], "z");
	assert_string_equal(conf.text, "t"); /* empty is as good as none */
	assert_int_equal(conf.bytes, 4 << 20);
	assert_int_equal(problems.count, 1);
	line = problem_text(&problems, 0);
	assert_string_equal(line,
			    "environment: STEPMILL_TWO_BYTES: 7 is less than 1KiB");
	free(line);
	free(lines);
	problems_fini(&problems);
	option_fini(table, &conf);
}

static void
test_numbers_with_a_point(void **state)
{
	struct conf conf;
	char *lines = read_text(&conf, "number: 12.25");

	(void)state;
	assert_string_equal(lines, "");
	assert_true(conf.number == 12.25);
	free(lines);
	option_fini(table, &conf);
	expect_problems("number: 3", "");
	expect_problems("number: -1", "c.yaml:1:9: number: \"-1\" is not a number, "
				      "like 15 or 0.25\n");
	expect_problems("number: 1e3", "c.yaml:1:9: number: \"1e3\" is not a number, "
				       "like 15 or 0.25\n");
}

static void
test_trees_are_kept_and_shown_without_secrets(void **state)
{
	struct conf conf;
	char *lines = read_text(&conf, "tree: { a: [x, 'y z'], api_key: canary, "
				       "headers: { b: canary } }");
	char *dump = option_dump(table, &conf);

	(void)state;
	assert_string_equal(lines, "");
	assert_string_equal(doc_get(conf.tree, "a")->items[1]->text, "y z");
	assert_non_null(strstr(dump, "tree: {\"a\": [x, \"y z\"], \"api_key\": "
				     "\"***\", \"headers\": {\"b\": \"***\"}}\n"));
	free(dump);
	free(lines);
	option_fini(table, &conf);
	assert_null(conf.tree);
}

static void
test_a_tree_in_the_environment_is_yaml(void **state)
{
	char *environment[] = { (char *)"STEPMILL_TREE={\"a\": {\"b\": 1}}", NULL };
	char *broken[] = { (char *)"STEPMILL_TREE={", NULL };
	struct problems problems = { 0 };
	struct conf conf = { 0 };

	(void)state;
	option_environment(table, environment, &conf, &problems);
	assert_int_equal(problems.count, 0);
	assert_string_equal(doc_get(doc_get(conf.tree, "a"), "b")->text, "1");
	option_environment(table, broken, &conf, &problems);
	assert_int_equal(problems.count, 1);
	problems_fini(&problems);
	option_fini(table, &conf);
}

static void
test_secrets_are_followed(void **state)
{
	char path[] = "/tmp/stepmill-test-XXXXXX", text[100];
	int fd = mkstemp(path);
	struct conf conf;
	char *lines;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "hidden\r\n\n", 9), 9);
	snprintf(text, sizeof text, "one: { secret: 'file:%s', text: 'file:x' }", path);
	lines = read_text(&conf, text);
	assert_string_equal(lines, "");
	assert_string_equal(conf.secret, "hidden");
	assert_string_equal(conf.text, "file:x"); /* only secrets are followed */
	free(lines);
	option_fini(table, &conf);
	setenv("TEST_OPTION_SECRET", "from there", 1);
	lines = read_text(&conf, "one: { secret: 'env:TEST_OPTION_SECRET' }");
	assert_string_equal(lines, "");
	assert_string_equal(conf.secret, "from there");
	free(lines);
	option_fini(table, &conf);
	close(fd);
	unlink(path);
}

static void
expect_bad_file(const char *path, const char *why)
{
	char text[200], line[300];

	snprintf(text, sizeof text, "one: { secret: 'file:%s' }", path);
	snprintf(line, sizeof line, "c.yaml:1:16: one.secret: %s: %s\n", path, why);
	expect_problems(text, line);
}

static void
test_secrets_that_are_not_there(void **state)
{
	char folder[] = "/tmp/stepmill-test-XXXXXX", path[64];
	char zeros[70000] = "";
	int fd;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof path, "%s/s", folder);
	expect_bad_file(path, "No such file or directory");
	expect_bad_file(folder, "Is a directory");
	fd = open(path, O_CREAT | O_RDWR, 0600);
	expect_bad_file(path, "empty, or not text");
	assert_int_equal(write(fd, "a\0b", 3), 3);
	expect_bad_file(path, "empty, or not text");
	assert_int_equal(write(fd, zeros, sizeof zeros), sizeof zeros);
	expect_bad_file(path, "more than 65536 bytes");
	close(fd);
	unlink(path);
	assert_int_equal(mkfifo(path, 0600), 0); /* must not hang */
	expect_bad_file(path, "empty, or not text");
	unlink(path);
	rmdir(folder);
	unsetenv("TEST_OPTION_SECRET");
	expect_problems("one: { secret: 'env:TEST_OPTION_SECRET' }",
			"c.yaml:1:16: one.secret: the environment has no "
			"TEST_OPTION_SECRET\n");
}

static void
test_the_dump_reads_back(void **state)
{
	static const char expected[] = "one:\n"
				       "  # a text\n"
				       "  text: \"q\\\"uote\"\n"
				       "  # a secret\n"
				       "  secret: \"***\"\n"
				       "  # a count\n"
				       "  count: 8\n"
				       "two:\n"
				       "  # some bytes\n"
				       "  bytes: 1025B\n"
				       "  # a time\n"
				       "  some-time: 1h30m\n"
				       "  # a flag\n"
				       "  flag: true\n"
				       "# some texts\n"
				       "texts: [\"a\", \"b, c\"]\n"
				       "# a number\n"
				       "number: 0.5\n"
				       "# a tree\n"
				       "tree: {}\n"
				       "# a text without a section\n"
				       "top:\n";
	struct conf conf;
	char *lines = read_text(&conf, "one: { text: 'q\"uote', secret: s }\n"
				       "two: { bytes: 1025 }\n"
				       "texts: [a, 'b, c']\n");
	char *dump = option_dump(table, &conf), *again;

	(void)state;
	assert_string_equal(dump, expected);
	free(lines);
	option_fini(table, &conf);
	lines = read_text(&conf, dump);
	assert_string_equal(lines, "");
	again = option_dump(table, &conf);
	assert_string_equal(again, expected);
	free(again);
	free(dump);
	free(lines);
	option_fini(table, &conf);
}

static void
test_bytes_are_written_exactly(void **state)
{
	static const char *const sizes[] = { "1KiB", "1MiB", "1GiB", "1536B",
					     "1023MiB" };
	struct conf conf;
	char text[64], *dump;

	(void)state;
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		snprintf(text, sizeof text, "two: { bytes: %s }", sizes[i]);
		free(read_text(&conf, text));
		dump = option_dump(table, &conf);
		snprintf(text, sizeof text, "  bytes: %s\n", sizes[i]);
		assert_non_null(strstr(dump, text));
		free(dump);
		option_fini(table, &conf);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_defaults),
		cmocka_unit_test(test_every_type_is_read),
		cmocka_unit_test(test_an_empty_value_leaves_the_default),
		cmocka_unit_test(test_an_empty_list_is_empty),
		cmocka_unit_test(test_all_mistakes_are_told_with_their_places),
		cmocka_unit_test(test_the_limits_are_exact),
		cmocka_unit_test(test_numbers_are_strict),
		cmocka_unit_test(test_shapes_that_do_not_fit),
		cmocka_unit_test(test_the_environment_wins),
		cmocka_unit_test(test_numbers_with_a_point),
		cmocka_unit_test(test_trees_are_kept_and_shown_without_secrets),
		cmocka_unit_test(test_a_tree_in_the_environment_is_yaml),
		cmocka_unit_test(test_secrets_are_followed),
		cmocka_unit_test(test_secrets_that_are_not_there),
		cmocka_unit_test(test_the_dump_reads_back),
		cmocka_unit_test(test_bytes_are_written_exactly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
