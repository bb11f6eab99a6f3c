/*
 * Opening what a path names below a project: never outside, never a pipe or a device.
 * Battery F6. And the walk over a tree.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "files/files.h"
#include "walk.h"

static char top[64], project[80];

static void
put(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static int
run(const char *command)
{
	return system(command);
}

/* top/secret lies outside of top/project, which has ways to it. */
static int
setup(void **state)
{
	(void)state;
	strcpy(top, "/tmp/stepmill-files-XXXXXX");
	assert_non_null(mkdtemp(top));
	snprintf(project, sizeof project, "%s/project", top);
	assert_int_equal(chdir(top), 0);
	assert_int_equal(
	    run("mkdir -p project/in/side secretfolder; echo s > secret; echo s > "
		"secretfolder/s; cd project; echo hi > file; echo deep > in/side/deep;"
		"ln -s file link; ln -s in inlink; ln -s ../../in in/side/back;"
		"ln -s ../secret out; ln -s ../secretfolder outfolder;"
		"ln -s /etc/passwd abs; ln -s nowhere dangling; ln -s loop loop;"
		"ln -s /proc/self/root magic; mkfifo fifo; mknod null c 1 3;"
		"mkdir locked; ln ../secret hard"),
	    0);
	return 0;
}

static int
teardown(void **state)
{
	char command[128];

	(void)state;
	assert_int_equal(chdir("/"), 0);
	snprintf(command, sizeof command, "rm -rf %s", top);
	return run(command);
}

static const struct {
	const char *path;
	enum err_kind kind; /* ERR_NONE: it opens */
} opens[] = {
	{ "file", ERR_NONE },
	{ "in/side/deep", ERR_NONE },
	{ "link", ERR_NONE },
	{ "inlink/side/deep", ERR_NONE },
	{ "in/side/back/side/deep", ERR_NONE },
	{ "missing", ERR_NOT_FOUND },
	{ "missing/x", ERR_NOT_FOUND },
	{ "dangling", ERR_NOT_FOUND },
	{ "file/x", ERR_INPUT },
	{ "in", ERR_INPUT },
	{ ".", ERR_INPUT },
	{ "out", ERR_DENIED },
	{ "outfolder/s", ERR_DENIED },
	{ "abs", ERR_DENIED },
	{ "loop", ERR_DENIED },
	{ "magic/etc/passwd", ERR_DENIED },
	{ "..", ERR_DENIED },
	{ "../secret", ERR_DENIED },
	{ "in/../../secret", ERR_DENIED },
	{ "/etc/passwd", ERR_DENIED },
	{ "fifo", ERR_INPUT },
	{ "null", ERR_INPUT },
	{ "%2e%2e/secret", ERR_NOT_FOUND },
	{ "..\\secret", ERR_NOT_FOUND },
	{ "hard", ERR_NONE }, /* it is a file of the project as well */
};

static void
test_opening(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof opens / sizeof opens[0]; i++) {
		struct err err = { 0 };
		int fd = files_open(project, opens[i].path, O_RDONLY, &err);

		if (err.kind != opens[i].kind || (fd >= 0) != (err.kind == ERR_NONE))
			fail_msg("%s: %d %s", opens[i].path, fd, err.text);
		if (fd >= 0)
			close(fd);
	}
}

static void
test_a_very_long_name(void **state)
{
	struct err err = { 0 };
	char name[301];

	(void)state;
	memset(name, 'x', 300);
	name[300] = '\0';
	assert_int_equal(files_open(project, name, O_RDONLY, &err), -1);
	assert_int_equal(err.kind, ERR_INPUT);
	name[255] = '\0';
	err_clear(&err);
	assert_int_equal(files_open(project, name, O_RDONLY, &err), -1);
	assert_int_equal(err.kind, ERR_NOT_FOUND);
}

static void
test_no_project(void **state)
{
	struct err err = { 0 };

	(void)state;
	assert_int_equal(files_open("/no/such/folder", "x", O_RDONLY, &err), -1);
	assert_int_equal(err.kind, ERR_NOT_FOUND);
	assert_non_null(strstr(err.text, "/no/such/folder"));
}

static void
test_folders(void **state)
{
	static const struct {
		const char *path;
		enum err_kind kind;
	} rows[] = {
		{ "in/side", ERR_NONE },        { ".", ERR_NONE },
		{ "new/a/b", ERR_NONE },        { "inlink/more", ERR_NONE },
		{ "in/side/back/x", ERR_NONE }, { "outfolder", ERR_DENIED },
		{ "outfolder/x", ERR_DENIED },  { "file/x", ERR_INPUT },
		{ "abs/x", ERR_DENIED },        { "dangling/x", ERR_NOT_FOUND },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct err err = { 0 };
		int fd = files_make_folder(project, rows[i].path, 0755, &err);

		if (err.kind != rows[i].kind)
			fail_msg("%s: %s", rows[i].path, err.text);
		if (fd >= 0)
			close(fd);
	}
	assert_int_equal(access("project/in/more", F_OK), 0);
	assert_int_equal(access("project/in/x", F_OK), 0);
	assert_int_equal(access("secretfolder/x", F_OK), -1);
}

static enum err_kind
write_file(const char *path, const char *text)
{
	struct new_file file;
	struct err err = { 0 };

	if (new_file_open(&file, project, path, 0644, &err) < 0)
		return err.kind;
	if (new_file_write(&file, text, strlen(text), &err) == 0)
		new_file_commit(&file, &err);
	new_file_fini(&file);
	return err.kind;
}

static char *
content(const char *path)
{
	static char text[64];
	FILE *file = fopen(path, "r");

	assert_non_null(file);
	text[fread(text, 1, sizeof text - 1, file)] = '\0';
	fclose(file);
	return text;
}

static void
test_writing(void **state)
{
	struct stat st;

	(void)state;
	assert_int_equal(write_file("fresh/a/b", "new"), ERR_NONE);
	assert_string_equal(content("project/fresh/a/b"), "new");
	assert_int_equal(chmod("project/fresh/a/b", 0751), 0);
	assert_int_equal(write_file("fresh/a/b", "newer"), ERR_NONE);
	assert_string_equal(content("project/fresh/a/b"), "newer");
	assert_int_equal(stat("project/fresh/a/b", &st), 0);
	assert_int_equal(st.st_mode & 0777, 0751);
	/* Through a link that stays inside; the link stays one. */
	put("project/target", "old");
	assert_int_equal(symlink("target", "project/tolink"), 0);
	assert_int_equal(write_file("tolink", "via"), ERR_NONE);
	assert_string_equal(content("project/target"), "via");
	assert_int_equal(lstat("project/tolink", &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	/* and none that leads out */
	assert_int_equal(write_file("out", "x"), ERR_DENIED);
	assert_int_equal(write_file("outfolder/new", "x"), ERR_DENIED);
	assert_int_equal(write_file("in", "x"), ERR_INPUT);
	assert_int_equal(write_file("fifo", "x"), ERR_INPUT);
	assert_int_equal(write_file("null", "x"), ERR_INPUT);
	assert_int_equal(write_file(".", "x"), ERR_INPUT);
	assert_string_equal(content("secret"), "s\n");
	assert_int_equal(access("secretfolder/new", F_OK), -1);
}

static void
test_given_up_writes_leave_nothing(void **state)
{
	struct new_file file;
	struct err err = { 0 };

	(void)state;
	put("project/kept", "kept");
	assert_int_equal(new_file_open(&file, project, "kept", 0644, &err), 0);
	assert_int_equal(new_file_write(&file, "half", 4, &err), 0);
	new_file_fini(&file);
	assert_string_equal(content("project/kept"), "kept");
	assert_int_not_equal(run("ls -A project | grep -q '[.]tmp$'"), 0);
}

static void
test_walk(void **state)
{
	struct buf told = { 0 };
	struct walk_entry entry;
	struct err err = { 0 };
	struct walk *walk;
	int more;

	(void)state;
	assert_int_equal(run("mkdir -p project/w/b/c project/w/empty; cd project/w;"
			     "touch a b/1 b/c/2 z; ln -s .. up; ln -s / root"),
			 0);
	walk = walk_new(files_open_folder(project, "w", &err), true);
	while ((more = walk_next(walk, &entry, &err)) > 0)
		buf_printf(&told, "%s%s ", entry.path, entry.leaving ? "/" : "");
	assert_int_equal(more, 0);
	assert_string_equal(buf_text(&told), "a b b/1 b/c b/c/2 b/c/ b/ empty empty/ "
					     "root up z ");
	walk_free(&walk);
	buf_clear(&told);
	walk = walk_new(files_open_folder(project, "w", &err), false);
	while (walk_next(walk, &entry, &err) > 0)
		buf_printf(&told, "%s ", entry.path);
	assert_string_equal(buf_text(&told), "a b empty root up z ");
	walk_free(&walk);
	buf_fini(&told);
}

static void
test_walk_has_a_limit_of_depth(void **state)
{
	struct walk_entry entry;
	struct err err = { 0 };
	struct walk *walk;
	int more;

	(void)state;
	assert_int_equal(run("d=project/deep; for i in $(seq 70); do d=$d/x; done;"
			     "mkdir -p $d"),
			 0);
	walk = walk_new(files_open_folder(project, "deep", &err), true);
	while ((more = walk_next(walk, &entry, &err)) > 0)
		;
	assert_int_equal(more, -1);
	assert_int_equal(err.kind, ERR_LIMIT);
	walk_free(&walk);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_opening),
		cmocka_unit_test(test_a_very_long_name),
		cmocka_unit_test(test_no_project),
		cmocka_unit_test(test_folders),
		cmocka_unit_test(test_writing),
		cmocka_unit_test(test_given_up_writes_leave_nothing),
		cmocka_unit_test(test_walk),
		cmocka_unit_test(test_walk_has_a_limit_of_depth),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
