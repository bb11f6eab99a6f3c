/* The control channel: whole lines in, whole lines out, a parent that goes away. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "loop/parent.h"
#include "until.h"

struct child {
	struct loop *loop;
	struct parent *parent;
	int lines, gone;
	char heard[256];
	bool free_on_line, free_on_gone;
};

static void
on_line(void *context, const char *line)
{
	struct child *child = context;
	size_t len = strlen(child->heard);

	child->lines++;
	snprintf(child->heard + len, sizeof child->heard - len, "<%s>", line);
	if (child->free_on_line)
		parent_free(&child->parent);
}

static void
on_gone(void *context)
{
	struct child *child = context;

	child->gone++;
	if (child->free_on_gone)
		parent_free(&child->parent);
}

/* Descriptor 3 becomes one end; the other is returned. */
static int
open_channel(void)
{
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	assert_int_equal(dup2(fds[1], PARENT_FD), PARENT_FD);
	close(fds[1]);
	return fds[0];
}

static int
start(struct child *child)
{
	struct err err = { 0 };
	int other;

	*child = (struct child){ 0 };
	other = open_channel();
	assert_int_equal(setenv("STEPMILL_PARENT", "3", 1), 0);
	child->loop = loop_new(&err);
	assert_non_null(child->loop);
	child->parent = parent_new(child->loop, on_line, on_gone, child);
	assert_non_null(child->parent);
	return other;
}

static void
end(struct child *child, int other)
{
	parent_free(&child->parent);
	parent_free(&child->parent);
	loop_free(&child->loop);
	if (other >= 0)
		close(other);
	assert_int_equal(dup2(STDERR_FILENO, PARENT_FD), PARENT_FD);
}

static void
say(int other, const char *text)
{
	assert_int_equal(write(other, text, strlen(text)), strlen(text));
}

static void
test_started_by_hand_there_is_no_parent(void **state)
{
	struct err err = { 0 };
	struct loop *loop = loop_new(&err);

	(void)state;
	unsetenv("STEPMILL_PARENT");
	assert_null(parent_new(loop, on_line, on_gone, NULL));
	setenv("STEPMILL_PARENT", "4", 1);
	assert_null(parent_new(loop, on_line, on_gone, NULL));
	parent_say(NULL, "slots %d/%d", 1, 2);
	loop_free(&loop);
}

static void
test_lines_arrive_whole(void **state)
{
	struct child child;
	int other = start(&child);

	(void)state;
	say(other, "drain\npool {\"a\":");
	assert_true(run_until_nonzero(child.loop, &child.lines));
	assert_string_equal(child.heard, "<drain>");
	child.lines = 0;
	say(other, "1}\n\n");
	assert_true(run_until_nonzero(child.loop, &child.lines));
	assert_string_equal(child.heard, "<drain><pool {\"a\":1}><>");
	end(&child, other);
}

static void
test_what_is_said_arrives(void **state)
{
	struct child child;
	int other = start(&child);
	char got[64] = "";

	(void)state;
	parent_say(child.parent, "ready");
	parent_say(child.parent, "slots %d/%d", 3, 8);
	assert_int_equal(read(other, got, sizeof got - 1), 16);
	assert_string_equal(got, "ready\nslots 3/8\n");
	end(&child, other);
}

static void
test_the_parent_goes_away(void **state)
{
	struct child child;
	int other = start(&child);

	(void)state;
	say(other, "drain\n");
	close(other);
	assert_true(run_until_nonzero(child.loop, &child.gone));
	assert_string_equal(child.heard, "<drain>");
	assert_int_equal(child.gone, 1);
	parent_say(child.parent, "slots 1/8");
	end(&child, -1);
}

static void
test_a_line_past_the_limit_is_a_lost_parent(void **state)
{
	struct child child;
	int other = start(&child);
	char *line = xmalloc(PARENT_LINE_MAX + 2);

	(void)state;
	memset(line, 'x', PARENT_LINE_MAX + 1);
	line[PARENT_LINE_MAX + 1] = '\0';
	say(other, line);
	assert_true(run_until_nonzero(child.loop, &child.gone));
	assert_int_equal(child.lines, 0);
	free(line);
	end(&child, other);
}

static void
test_a_long_line_that_is_whole_is_refused_too(void **state)
{
	struct child child;
	int other = start(&child);
	char *line = xmalloc(PARENT_LINE_MAX + 3);

	(void)state;
	memset(line, 'x', PARENT_LINE_MAX + 1);
	memcpy(line + PARENT_LINE_MAX + 1, "\n", 2);
	say(other, line);
	assert_true(run_until_nonzero(child.loop, &child.gone));
	assert_int_equal(child.lines, 0);
	free(line);
	end(&child, other);
}

static void
test_it_may_be_freed_in_its_callbacks(void **state)
{
	struct child child;
	int other = start(&child);

	(void)state;
	child.free_on_line = true;
	say(other, "one\ntwo\n");
	assert_true(run_until_nonzero(child.loop, &child.lines));
	run_turns(child.loop, 3);
	assert_string_equal(child.heard, "<one>");
	end(&child, other);
	other = start(&child);
	child.free_on_gone = true;
	close(other);
	assert_true(run_until_nonzero(child.loop, &child.gone));
	end(&child, -1);
}

/* A parent that does not read costs a bounded amount of memory. */
static void
test_a_parent_that_does_not_read_loses_lines(void **state)
{
	struct child child;
	int other = start(&child);
	char *line = xmalloc(10001), got[65536];
	size_t sum = 0;
	ssize_t n;

	(void)state;
	memset(line, 'y', 10000);
	line[10000] = '\0';
	for (int i = 0; i < 1000; i++)
		parent_say(child.parent, "%s", line);
	do {
		run_turns(child.loop, 2);
		n = recv(other, got, sizeof got, MSG_DONTWAIT);
		sum += n > 0 ? (size_t)n : 0;
	} while (n > 0);
	assert_true(sum >= 10001 && sum < 2000000);
	assert_int_equal(sum % 10001, 0);
	free(line);
	end(&child, other);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_started_by_hand_there_is_no_parent),
		cmocka_unit_test(test_lines_arrive_whole),
		cmocka_unit_test(test_what_is_said_arrives),
		cmocka_unit_test(test_the_parent_goes_away),
		cmocka_unit_test(test_a_line_past_the_limit_is_a_lost_parent),
		cmocka_unit_test(test_a_long_line_that_is_whole_is_refused_too),
		cmocka_unit_test(test_it_may_be_freed_in_its_callbacks),
		cmocka_unit_test(test_a_parent_that_does_not_read_loses_lines),
	};
	int low;

	/* Descriptor 3 is taken whenever a test opens others. */
	while ((low = dup(STDERR_FILENO)) >= 0 && low < 8)
		;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
