/* The YAML door: tests/tables/yaml.txt, the limits, and what hostile texts cost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/usec.h"
#include "conf/yaml.h"

static void
add_escaped(struct buf *out, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c < ' ' || c >= 0x7f)
			buf_printf(out, "<%02x>", c);
		else
			buf_char(out, text[i]);
	}
}

/* A line of the table with its <0a>, which ends where the next line does. */
static void
add_unescaped(struct buf *out, const char *line)
{
	unsigned byte;
	int used;

	while (*line != '\0') {
		used = 0;
		if (sscanf(line, "<%2x>%n", &byte, &used) == 1 && used == 4) {
			buf_char(out, (char)byte);
			line += 4;
		} else {
			buf_char(out, *line++);
		}
	}
}

static void
show(const struct doc *doc, struct buf *out)
{
	const char *ends = doc->kind == DOC_MAP ? "{}" : "[]";

	if (doc->kind == DOC_SCALAR) {
		buf_str(out, doc->quoted ? "\"" : "");
		add_escaped(out, doc->text, doc->len);
		buf_str(out, doc->quoted ? "\"" : "");
		return;
	}
	buf_char(out, ends[0]);
	for (size_t i = 0; i < doc->count; i++) {
		if (i > 0)
			buf_char(out, ',');
		if (doc->kind == DOC_MAP) {
			show(doc->keys[i], out);
			buf_char(out, ':');
		}
		show(doc->items[i], out);
	}
	buf_char(out, ends[1]);
}

struct yaml_case {
	char title[120];
	int line;
	struct buf text, expected;
	bool ended; /* has an outcome */
};

static void
show_outcome(const struct yaml_case *one, struct buf *got)
{
	struct problems problems = { 0 };
	struct doc *doc = yaml_parse(buf_text(&one->text), one->text.len, &problems);

	assert_true((doc == NULL) == (problems.count > 0));
	if (doc != NULL) {
		buf_str(got, "=> ");
		show(doc, got);
		buf_char(got, '\n');
	}
	for (size_t i = 0; i < problems.count; i++) {
		char *text = problem_text(&problems, i);

		buf_printf(got, "!> %s\n", text);
		free(text);
	}
	doc_free(&doc);
	problems_fini(&problems);
}

static int
check_case(struct yaml_case *one, int *wrong)
{
	struct buf got = { 0 };
	bool ended = one->ended;

	if (ended)
		show_outcome(one, &got);
	if (ended && strcmp(buf_text(&got), buf_text(&one->expected)) != 0) {
		(*wrong)++;
		print_error("yaml.txt:%d: %s\nexpected\n%sgot\n%s", one->line,
			    one->title, buf_text(&one->expected), buf_text(&got));
	}
	buf_fini(&got);
	buf_fini(&one->text);
	buf_fini(&one->expected);
	*one = (struct yaml_case){ 0 };
	return ended;
}

static void
test_the_table(void **state)
{
	FILE *file = fopen(TESTS_DIR "/tables/yaml.txt", "r");
	struct yaml_case one = { 0 };
	int number = 0, checked = 0, wrong = 0;
	char line[1000];

	(void)state;
	assert_non_null(file);
	while (fgets(line, sizeof line, file) != NULL) {
		number++;
		if (strncmp(line, "##", 2) == 0) {
			checked += check_case(&one, &wrong);
			one.line = number;
			snprintf(one.title, sizeof one.title, "%.*s",
				 (int)strcspn(line, "\n"), line);
		} else if (strncmp(line, "=> ", 3) == 0 ||
			   strncmp(line, "!> ", 3) == 0) {
			one.ended = true;
			buf_str(&one.expected, line);
		} else if (!one.ended) {
			add_unescaped(&one.text, line);
		}
	}
	checked += check_case(&one, &wrong);
	fclose(file);
	assert_int_equal(wrong, 0);
	assert_true(checked > 75);
}

/* What is refused in the end must be refused soon: an upload is parsed on the loop. */
static void
refuse(const char *what, const struct buf *text, const char *why)
{
	struct problems problems = { 0 };
	struct doc *doc;
	struct timespec start, end;
	long took_ms;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &start);
	doc = yaml_parse(buf_text(text), text->len, &problems);
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end);
	took_ms = (end.tv_sec - start.tv_sec) * 1000 +
		  (end.tv_nsec - start.tv_nsec) / 1000000;
	if (doc != NULL)
		fail_msg("%s: taken", what);
	if (strstr(problems.list[0].message, why) == NULL)
		fail_msg("%s: \"%s\"", what, problems.list[0].message);
	if (took_ms > 500) /* with sanitizers; a tenth of it without */
		fail_msg("%s: %ld ms", what, took_ms);
	problems_fini(&problems);
}

static void
refuse_repeated(const char *piece, size_t len, const char *why)
{
	struct buf text = { 0 };
	size_t piece_len = strlen(piece);

	while (text.len + piece_len <= len)
		buf_str(&text, piece);
	refuse(piece, &text, why);
	buf_fini(&text);
}

static void
test_hostile_texts_are_refused_soon(void **state)
{
	(void)state;
	refuse_repeated("[", YAML_BYTES_MAX, "nested deeper than 64");
	refuse_repeated("{", YAML_BYTES_MAX, "nested deeper than 64");
	refuse_repeated("{a,", YAML_BYTES_MAX, "nested deeper than 64");
	refuse_repeated("[\n", YAML_BYTES_MAX, "nested deeper than 64");
	refuse_repeated("[?", YAML_BYTES_MAX, "nested deeper than 64");
	refuse_repeated("{a: ", YAML_BYTES_MAX, "nested deeper than 64");
	refuse_repeated("- ", YAML_BYTES_MAX, "nested deeper than 64");
	refuse_repeated("? ", YAML_BYTES_MAX, "nested deeper than 64");
	refuse_repeated("- x\n", YAML_BYTES_MAX, "more than 10000 values");
	refuse_repeated("- &a\n", YAML_BYTES_MAX, "more than 10000 values");
	refuse_repeated("%TAG !a! b\n", YAML_BYTES_MAX, "%TAG");
	refuse_repeated("%YAML 1.1\n", YAML_BYTES_MAX, "duplicate %YAML");
	refuse_repeated("\"a\n", YAML_BYTES_MAX - 1, "");
	refuse_repeated("---\n", YAML_BYTES_MAX, "a second document");
	refuse_repeated("a\n", YAML_BYTES_MAX + 100, "262144");
	refuse_repeated("a: b\n", YAML_BYTES_MAX, "this key stands already");
	refuse_repeated("!!x ", YAML_BYTES_MAX, "");
	refuse_repeated(": ", YAML_BYTES_MAX, "");
}

/* Ten anchors that each name the one before nine times: 9^10 values in 200 bytes. */
static void
test_a_billion_laughs_are_counted(void **state)
{
	struct buf text = { 0 };

	(void)state;
	buf_str(&text, "a: &a [ha]\n");
	for (char c = 'b'; c < 'l'; c++) {
		buf_printf(&text, "%c: &%c [", c, c);
		for (int i = 0; i < 9; i++)
			buf_printf(&text, "%s*%c", i > 0 ? ", " : "", c - 1);
		buf_str(&text, "]\n");
	}
	refuse("laughs", &text, "more than 10000 values, aliases counted");
	buf_fini(&text);
}

static void
test_a_long_text_is_not_multiplied(void **state)
{
	struct buf text = { 0 };

	(void)state;
	buf_str(&text, "a: &a \"");
	for (int i = 0; i < 20000; i++)
		buf_str(&text, "0123456789");
	buf_str(&text, "\"\nb: [*a");
	for (int i = 0; i < 9000; i++)
		buf_str(&text, ", *a");
	buf_str(&text, "]\n");
	refuse("long text", &text, "more than 1048576 bytes, aliases counted");
	buf_fini(&text);
}

/* Each level is an alias of the one before: deep only once expanded. */
static void
test_depth_is_counted_through_aliases(void **state)
{
	struct buf text = { 0 };

	(void)state;
	buf_str(&text, "- &a0 x\n");
	for (int i = 1; i < 80; i++)
		buf_printf(&text, "- &a%d [*a%d]\n", i, i - 1);
	refuse("deep aliases", &text, "nested deeper than 64");
	buf_clear(&text);
	buf_str(&text, "a: &a { <<: { x: 1 } }\nb:");
	for (int i = 0; i < 62; i++)
		buf_str(&text, " [");
	buf_str(&text, "{ <<: *a, c: *a }");
	for (int i = 0; i < 62; i++)
		buf_str(&text, " ]");
	refuse("deep merges", &text, "nested deeper than 64");
	buf_fini(&text);
}

static struct doc *
nested(int depth)
{
	struct problems problems = { 0 };
	struct buf text = { 0 };
	struct doc *doc;

	for (int i = 0; i < depth; i++)
		buf_str(&text, "[");
	for (int i = 0; i < depth; i++)
		buf_str(&text, "]");
	doc = yaml_parse(buf_text(&text), text.len, &problems);
	assert_true((doc == NULL) == (problems.count > 0));
	problems_fini(&problems);
	buf_fini(&text);
	return doc;
}

static void
test_the_limit_of_depth_is_exact(void **state)
{
	struct doc *doc = nested(YAML_DEPTH_MAX);

	(void)state;
	assert_non_null(doc);
	doc_free(&doc);
	assert_null(nested(YAML_DEPTH_MAX + 1));
}

static struct doc *
list_of(int count)
{
	struct problems problems = { 0 };
	struct buf text = { 0 };
	struct doc *doc;

	for (int i = 0; i < count; i++)
		buf_str(&text, "- x\n");
	doc = yaml_parse(buf_text(&text), text.len, &problems);
	problems_fini(&problems);
	buf_fini(&text);
	return doc;
}

static void
test_the_limit_of_values_is_exact(void **state)
{
	struct doc *doc = list_of(YAML_NODES_MAX - 1); /* the list counts as well */

	(void)state;
	assert_non_null(doc);
	assert_int_equal(doc->count, YAML_NODES_MAX - 1);
	doc_free(&doc);
	assert_null(list_of(YAML_NODES_MAX));
}

static void
test_places_are_those_of_the_file(void **state)
{
	static const char text[] = "\xef\xbb\xbf"
				   "a:\n  - b: &x 1\n    c: [d,\n      *x]\n";
	struct problems problems = { 0 };
	struct doc *doc = yaml_parse(text, strlen(text), &problems);
	const struct doc *item;

	(void)state;
	assert_non_null(doc);
	assert_int_equal(doc->keys[0]->line, 1);
	assert_int_equal(doc->keys[0]->column, 1);
	item = doc_get(doc, "a")->items[0];
	assert_int_equal(item->line, 2);
	assert_int_equal(item->column, 5);
	item = doc_get(item, "c");
	assert_int_equal(item->line, 3);
	assert_int_equal(item->items[0]->column, 9);
	assert_int_equal(item->items[1]->line, 2); /* where the anchor stands */
	doc_free(&doc);
	problems_fini(&problems);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_table),
		cmocka_unit_test(test_hostile_texts_are_refused_soon),
		cmocka_unit_test(test_a_billion_laughs_are_counted),
		cmocka_unit_test(test_a_long_text_is_not_multiplied),
		cmocka_unit_test(test_depth_is_counted_through_aliases),
		cmocka_unit_test(test_the_limit_of_depth_is_exact),
		cmocka_unit_test(test_the_limit_of_values_is_exact),
		cmocka_unit_test(test_places_are_those_of_the_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
