/* A run's metadata.json: made with its folder, replaced as a whole, never behind a
 * link. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "files/files.h"
#include "files/run_folder.h"
#include "files/tree.h"

#define ID     "01890000-0000-7000-8000-000000000001"
#define FOLDER ".agent/workflows/executions/" ID

static char project[64];
static struct uuid run;

static int
setup(void **state)
{
	(void)state;
	uuid_parse(ID, strlen(ID), &run);
	strcpy(project, "/tmp/stepmill-run-XXXXXX");
	return mkdtemp(project) == NULL;
}

static int
teardown(void **state)
{
	struct err err = { 0 };

	(void)state;
	return tree_remove("/tmp", strrchr(project, '/') + 1, 1000, &err) != TREE_GONE;
}

static int
put(const char *text, struct err *err)
{
	return run_folder_write_metadata(project, &run, text, strlen(text), err);
}

static void
assert_says(const char *text)
{
	struct err err = { 0 };
	struct buf found = { 0 };

	assert_int_equal(
	    files_read(project, FOLDER "/metadata.json", 1000, &found, &err), 0);
	assert_string_equal(buf_text(&found), text);
	buf_fini(&found);
}

static void
test_where_it_is(void **state)
{
	char *path = run_folder_path(&run);

	(void)state;
	assert_string_equal(path, FOLDER);
	free(path);
}

static void
test_it_is_made_and_replaced(void **state)
{
	struct err err = { 0 };
	struct stat st;

	(void)state;
	assert_int_equal(put("{\"status\": \"CRASHED\"}", &err), 0);
	assert_says("{\"status\": \"CRASHED\"}\n");
	assert_int_equal(put("{}", &err), 0);
	assert_says("{}\n");
	assert_int_equal(files_stat(project, FOLDER, &st, &err), 0);
	assert_int_equal(st.st_mode & 0007, 0);
}

static void
test_a_link_out_of_the_project_is_refused(void **state)
{
	struct err err = { 0 };
	char path[256];
	int fd = files_make_folder(project, ".agent/workflows/executions", 0755, &err);

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	snprintf(path, sizeof path, "%s/" FOLDER, project);
	assert_int_equal(symlink("/tmp", path), 0);
	assert_int_equal(put("{}", &err), -1);
	assert_int_equal(err.kind, ERR_DENIED);
}

static void
test_a_project_that_is_not_here(void **state)
{
	struct err err = { 0 };

	(void)state;
	assert_int_equal(run_folder_write_metadata("/nowhere", &run, "{}", 2, &err),
			 -1);
	assert_int_equal(err.kind, ERR_NOT_FOUND);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_where_it_is, setup, teardown),
		cmocka_unit_test_setup_teardown(test_it_is_made_and_replaced, setup,
						teardown),
		cmocka_unit_test_setup_teardown(
		    test_a_link_out_of_the_project_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_project_that_is_not_here, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
