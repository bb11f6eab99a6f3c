/* A file goes to the disk while the loop turns; what cannot be done is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "loop/file_sync.h"
#include "until.h"

static int told, error_told;

static void
on_synced(void *context, int error)
{
	(void)context;
	told++;
	error_told = error;
}

static struct loop *
new_loop(void)
{
	struct err err = { 0 };
	struct loop *loop = loop_new(&err);

	assert_non_null(loop);
	told = 0;
	error_told = -1;
	return loop;
}

static int
new_file(void)
{
	char name[] = "/tmp/stepmill-sync-XXXXXX";
	int fd = mkstemp(name);

	assert_true(fd >= 0);
	unlink(name);
	assert_int_equal(write(fd, "x", 1), 1);
	return fd;
}

static void
test_a_file_may_be_closed_meanwhile(void **state)
{
	struct loop *loop = new_loop();
	int fd = new_file();

	(void)state;
	file_sync_new(loop, fd, on_synced, NULL);
	close(fd);
	assert_int_equal(told, 0);
	assert_true(run_until_nonzero(loop, &told));
	assert_int_equal(error_told, 0);
	loop_free(&loop);
}

static void
test_what_cannot_be_done_is_told(void **state)
{
	struct loop *loop = new_loop();
	int ends[2];

	(void)state;
	file_sync_new(loop, -1, on_synced, NULL);
	assert_true(run_until_nonzero(loop, &told));
	assert_int_equal(error_told, EBADF);
	told = 0;
	assert_int_equal(pipe(ends), 0);
	file_sync_new(loop, ends[1], on_synced, NULL);
	assert_true(run_until_nonzero(loop, &told));
	assert_int_equal(error_told, EINVAL);
	close(ends[0]);
	close(ends[1]);
	loop_free(&loop);
}

static void
test_who_gave_up_is_told_nothing(void **state)
{
	struct loop *loop = new_loop();
	int fd = new_file();
	struct file_sync *sync = file_sync_new(loop, fd, on_synced, NULL);

	(void)state;
	file_sync_cancel(&sync);
	assert_null(sync);
	file_sync_cancel(&sync);
	run_turns(loop, 200);
	assert_int_equal(told, 0);
	close(fd);
	loop_free(&loop);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_file_may_be_closed_meanwhile),
		cmocka_unit_test(test_what_cannot_be_done_is_told),
		cmocka_unit_test(test_who_gave_up_is_told_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
