/* Which folder a path may not leave, and whole files read within it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "files/files.h"

static const char project[] = "/srv/p";
static char *folders[] = { "/srv/beats", "/srv/p/inner", "/srv/b/" };

static void
check(const char *text, const char *root, const char *path)
{
	struct buf found = { 0 };
	const char *found_root;
	struct err err = { 0 };
	int result = files_place(project, folders, 3, text, strlen(text), &found_root,
				 &found, &err);

	assert_int_equal(result, root != NULL ? 0 : -1);
	if (root != NULL) {
		assert_string_equal(found_root, root);
		assert_string_equal(buf_text(&found), path);
	}
	buf_fini(&found);
}

static void
test_places(void **state)
{
	(void)state;
	check("a.md", project, "a.md");
	check("x/./../a.md", project, "a.md");
	check("/srv/p/a.md", project, "a.md");
	check("/srv/p/inner/a.md", project, "inner/a.md");
	check("/srv/beats/a/b.md", "/srv/beats", "a/b.md");
	check("/srv/b/a.md", "/srv/b/", "a.md");
	check("", NULL, NULL);
	check("../a.md", NULL, NULL);
	check("/srv/beatsy/a.md", NULL, NULL);
	check("/srv/beats/../a.md", NULL, NULL);
	check("/srv/p/../beats/a.md", NULL, NULL);
	check("/etc/passwd", NULL, NULL);
	check("srv/beats/a.md", project, "srv/beats/a.md");
}

static void
test_whole_files(void **state)
{
	char folder[] = "/tmp/files-place-XXXXXX", path[200];
	struct buf text = { 0 };
	struct err err = { 0 };
	FILE *file;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof path, "%s/a.md", folder);
	file = fopen(path, "w");
	fputs("hello", file);
	fclose(file);
	assert_int_equal(files_read(folder, "a.md", 5, &text, &err), 0);
	assert_string_equal(buf_text(&text), "hello");
	assert_int_equal(files_read(folder, "a.md", 4, &text, &err), -1);
	assert_int_equal(err.kind, ERR_LIMIT);
	err_clear(&err);
	assert_int_equal(files_read(folder, "b.md", 5, &text, &err), -1);
	assert_int_equal(err.kind, ERR_NOT_FOUND);
	err_clear(&err);
	assert_int_equal(symlink("/etc/passwd", strcat(strcpy(path, folder), "/l.md")),
			 0);
	assert_int_equal(files_read(folder, "l.md", 1 << 20, &text, &err), -1);
	assert_int_equal(err.kind, ERR_DENIED);
	unlink(path);
	snprintf(path, sizeof path, "%s/a.md", folder);
	unlink(path);
	rmdir(folder);
	buf_fini(&text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_places),
		cmocka_unit_test(test_whole_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
