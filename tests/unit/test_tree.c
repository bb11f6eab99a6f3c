/* A folder goes with all that is in it, a part at a time, and nothing behind a link. */
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

#include "files/tree.h"

static char project[64];

static void
put(const char *path)
{
	char full[256];
	int fd;

	snprintf(full, sizeof full, "%s/%s", project, path);
	fd = open(full, O_WRONLY | O_CREAT, 0600);
	assert_true(fd >= 0);
	close(fd);
}

static void
make(const char *path)
{
	char full[256];

	snprintf(full, sizeof full, "%s/%s", project, path);
	assert_int_equal(mkdir(full, 0700), 0);
}

static bool
is_there(const char *path)
{
	char full[256];
	struct stat st;

	snprintf(full, sizeof full, "%s/%s", project, path);
	return lstat(full, &st) == 0;
}

static int
setup(void **state)
{
	(void)state;
	strcpy(project, "/tmp/stepmill-tree-XXXXXX");
	return mkdtemp(project) == NULL;
}

static int
teardown(void **state)
{
	struct err err = { 0 };
	const char *name = strrchr(project, '/') + 1;

	(void)state;
	return tree_remove("/tmp", name, 100000, &err) != TREE_GONE;
}

static void
test_a_part_at_a_time(void **state)
{
	struct err err = { 0 };
	char path[64];
	int calls = 0;

	(void)state;
	make("run");
	make("run/logs");
	make("run/empty");
	for (int i = 0; i < 50; i++) {
		snprintf(path, sizeof path, "run/logs/%d", i);
		put(path);
	}
	put("beside");
	while (tree_remove(project, "run", 10, &err) == TREE_MORE)
		assert_in_range(++calls, 1, 10);
	assert_int_equal(err.kind, ERR_NONE);
	assert_in_range(calls, 4, 10);
	assert_false(is_there("run"));
	assert_true(is_there("beside"));
	assert_int_equal(tree_remove(project, "run", 10, &err), TREE_GONE);
	assert_int_equal(tree_remove(project, "no/such/run", 10, &err), TREE_GONE);
	assert_int_equal(err.kind, ERR_NONE);
}

static void
test_links_are_not_followed(void **state)
{
	struct err err = { 0 };
	char full[256];

	(void)state;
	make("kept");
	put("kept/file");
	make("run");
	snprintf(full, sizeof full, "%s/run/link", project);
	assert_int_equal(symlink("../kept", full), 0);
	assert_int_equal(tree_remove(project, "run", 100, &err), TREE_GONE);
	assert_false(is_there("run"));
	assert_true(is_there("kept/file"));
	snprintf(full, sizeof full, "%s/link", project);
	assert_int_equal(symlink("kept", full), 0);
	assert_int_equal(tree_remove(project, "link", 100, &err), TREE_GONE);
	assert_false(is_there("link"));
	assert_true(is_there("kept/file"));
	snprintf(full, sizeof full, "%s/out", project);
	assert_int_equal(symlink("/etc", full), 0);
	assert_int_equal(tree_remove(project, "out/passwd", 100, &err), TREE_FAILED);
	assert_int_equal(err.kind, ERR_DENIED);
}

static void
test_too_deep(void **state)
{
	struct err err = { 0 };
	int at = open(project, O_PATH | O_DIRECTORY), next;

	(void)state;
	for (int i = 0; i < TREE_DEPTH_MAX + 5; i++) {
		assert_int_equal(mkdirat(at, "d", 0700), 0);
		next = openat(at, "d", O_PATH | O_DIRECTORY);
		close(at);
		at = next;
	}
	close(at);
	assert_int_equal(tree_remove(project, "d", 100000, &err), TREE_FAILED);
	assert_int_equal(err.kind, ERR_SYSTEM);
	err_clear(&err);
	assert_int_equal(tree_remove(project, "d/d/d/d/d/d", 100000, &err), TREE_GONE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_a_part_at_a_time, setup, teardown),
		cmocka_unit_test_setup_teardown(test_links_are_not_followed, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_too_deep, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
