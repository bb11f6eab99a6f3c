/* Paths as text: what may be looked up below a project, and safe names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "files/path_core.h"

static const struct {
	const char *project, *path;
	const char *clean; /* NULL: refused */
	enum err_kind kind;
} rows[] = {
	{ NULL, "a", "a", 0 },
	{ NULL, "a/b.txt", "a/b.txt", 0 },
	{ NULL, "./a//b/./c/", "a/b/c", 0 },
	{ NULL, ".", ".", 0 },
	{ NULL, "a/..", ".", 0 },
	{ NULL, "a/../b", "b", 0 },
	{ NULL, "a/b/../../c", "c", 0 },
	{ NULL, "...", "...", 0 },
	{ NULL, "a..b/..c", "a..b/..c", 0 },
	{ NULL, "%2e%2e/x", "%2e%2e/x", 0 },
	{ NULL, "..\\x", "..\\x", 0 },
	{ NULL, "-rf", "-rf", 0 },
	{ NULL, "$(id)", "$(id)", 0 },
	{ NULL, "", NULL, ERR_INPUT },
	{ NULL, "..", NULL, ERR_DENIED },
	{ NULL, "../a", NULL, ERR_DENIED },
	{ NULL, "a/../../b", NULL, ERR_DENIED },
	{ NULL, "./..", NULL, ERR_DENIED },
	{ NULL, "/etc/passwd", NULL, ERR_DENIED },
	{ NULL, "a\nb", NULL, ERR_INPUT },
	{ NULL, "a\x7f", NULL, ERR_INPUT },
	{ "/home/me/p", "/home/me/p/a", "a", 0 },
	{ "/home/me/p/", "/home/me/p/a", "a", 0 },
	{ "/home/me/p", "/home/me/p", ".", 0 },
	{ "/home/me/p", "/home/me/p/../q", NULL, ERR_DENIED },
	{ "/home/me/p", "/home/me/pq", NULL, ERR_DENIED },
	{ "/home/me/p", "/home/me", NULL, ERR_DENIED },
	{ "/home/me/p", "home/me/p/a", "home/me/p/a", 0 },
	{ "/", "/etc/x", "etc/x", 0 },
	{ "", "/etc/x", NULL, ERR_DENIED },
};

static void
test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct buf out = { 0 };
		struct err err = { 0 };
		int result = path_clean(rows[i].project, rows[i].path,
					strlen(rows[i].path), &out, &err);

		if ((result == 0) != (rows[i].clean != NULL))
			fail_msg("\"%s\" gave %d: %s", rows[i].path, result, err.text);
		if (result == 0)
			assert_string_equal(buf_text(&out), rows[i].clean);
		assert_int_equal(err.kind, rows[i].kind);
		buf_fini(&out);
	}
}

static void
test_appends(void **state)
{
	struct buf out = { 0 };
	struct err err = { 0 };

	(void)state;
	buf_str(&out, "x/");
	assert_int_equal(path_clean(NULL, "a/../b", 6, &out, &err), 0);
	assert_string_equal(buf_text(&out), "x/b");
	assert_int_equal(path_clean(NULL, "a/../../b", 9, &out, &err), -1);
	buf_fini(&out);
}

static void
test_nul_and_lengths(void **state)
{
	struct buf out = { 0 };
	struct err err = { 0 };
	char text[PATH_BYTES_MAX + 2];

	(void)state;
	assert_int_equal(path_clean(NULL, "a\0b", 3, &out, &err), -1);
	memset(text, 'a', sizeof text);
	err = (struct err){ 0 };
	assert_int_equal(path_clean(NULL, text, 255, &out, &err), 0);
	assert_int_equal(path_clean(NULL, text, 256, &out, &err), -1);
	assert_int_equal(err.kind, ERR_INPUT);
	for (size_t i = 100; i < sizeof text; i += 100)
		text[i] = '/';
	err = (struct err){ 0 };
	buf_clear(&out);
	assert_int_equal(path_clean(NULL, text, PATH_BYTES_MAX, &out, &err), 0);
	assert_int_equal(path_clean(NULL, text, PATH_BYTES_MAX + 1, &out, &err), -1);
	buf_fini(&out);
}

static void
test_names(void **state)
{
	static const struct {
		const char *text, *safe;
	} names[] = {
		{ "notes.md", "notes.md" },
		{ "a b/c", "a-b-c" },
		{ "..", "-" },
		{ ".", "-" },
		{ "", "-" },
		{ "../../etc", "..-..-etc" },
		{ "\xc3\xa9t\xc3\xa9", "-t-" },
		{ "a\nb", "a-b" },
		{ "0123456789abc", "0123456789" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		struct buf out = { 0 };

		path_safe_name(names[i].text, 10, &out);
		assert_string_equal(buf_text(&out), names[i].safe);
		buf_fini(&out);
	}
	assert_string_equal(path_name("a/b"), "b");
	assert_string_equal(path_name("a"), "a");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_appends),
		cmocka_unit_test(test_nul_and_lengths),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
