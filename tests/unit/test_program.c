/* Real child programs: what they get, what is kept of them, how they end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <sys/stat.h>

#include "program_fixture.h"

static struct fixture *
fixture(void **state)
{
	return *state;
}

static int
setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof *f);

	fixture_init(f, ISOLATION_NAMESPACE);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	fixture_fini(*state);
	free(*state);
	return 0;
}

static void
test_exit_statuses(void **state)
{
	struct fixture *f = fixture(state);

	fixture_run(f, "echo hello; echo sorry >&2");
	assert_true(f->started);
	assert_int_equal(f->exit_status, 0);
	assert_string_equal(f->code, "");
	assert_string_equal(buf_text(&f->out), "hello\n");
	assert_string_equal(buf_text(&f->errors), "sorry\n");

	fixture_run(f, "echo first >&2; echo 'last words' >&2; exit 3");
	assert_int_equal(f->exit_status, 3);
	assert_string_equal(f->code, "exit_status");
	assert_string_equal(f->why, "\"/bin/sh\" ended with exit status 3: last words");
	assert_false(f->final);

	fixture_run(f, "kill -SEGV $$");
	assert_int_equal(f->signal, SIGSEGV);
	assert_int_equal(f->exit_status, 128 + SIGSEGV);
	assert_string_equal(f->code, "signal");
	assert_string_equal(f->why, "\"/bin/sh\" was ended by signal 11 (SIGSEGV)");
}

static void
test_a_missing_program(void **state)
{
	struct fixture *f = fixture(state);
	const char *const argv[] = { "no-such-program-here", NULL };
	const char *const folder[] = { "/tmp", NULL };
	struct program_spec spec = { .argv = argv };

	fixture_start(f, &spec);
	fixture_wait(f);
	assert_false(f->started);
	assert_true(f->final);
	assert_string_equal(f->code, "program_missing");
	assert_non_null(strstr(f->why, "\"no-such-program-here\" is not installed"));
	assert_string_equal(program_package("node"), "nodejs");

	spec.argv = folder; /* not to be executed */
	fixture_start(f, &spec);
	fixture_wait(f);
	assert_string_equal(f->code, "program_not_started");
}

static void
test_a_long_argument(void **state)
{
	struct fixture *f = fixture(state);
	char *argument = malloc(1024 * 1024 + 1);
	const char *argv[] = { "/bin/sh", "-c",     "printf %s \"$1\" | wc -c",
			       "sh",      argument, NULL };
	struct program_spec spec = { .argv = argv };

	memset(argument, '$', 1024 * 1024);
	argument[100 * 1000] = '\0';
	fixture_start(f, &spec);
	fixture_wait(f);
	assert_string_equal(buf_text(&f->out), "100000\n");

	argument[100 * 1000] = '$';
	argument[1024 * 1024] = '\0';
	fixture_start(f, &spec);
	fixture_wait(f);
	assert_string_equal(f->code, "argument_too_long");
	assert_true(f->final);
	free(argument);
}

static void
test_arguments_arrive_byte_for_byte(void **state)
{
	static const char *const texts[] = { "$(id)", "`id`",    "; rm -rf x", "a\nb",
					     "-rf",   "%n%s",    "'\"\\",      "",
					     "*",     "\xff\xfe" };
	struct fixture *f = fixture(state);

	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		const char *const argv[] = {
			"/bin/sh", "-c", "printf %s \"$1\" >&3", "sh", texts[i], NULL
		};
		struct program_spec spec = { .argv = argv, .channel = true };

		fixture_start(f, &spec);
		fixture_wait(f);
		assert_string_equal(buf_text(&f->channel), texts[i]);
	}
}

static void
test_standard_input(void **state)
{
	struct fixture *f = fixture(state);
	const char *const argv[] = { "/bin/sh", "-c", "cat; readlink /proc/self/fd/0",
				     NULL };
	const char *const count[] = { "/usr/bin/wc", "-c", NULL };
	struct program_spec spec = { .argv = argv };
	char *large = xcalloc(1, 5000000);

	fixture_start(f, &spec);
	fixture_wait(f);
	assert_string_equal(buf_text(&f->out), "/dev/null\n");

	spec.argv = count;
	spec.input = large;
	spec.input_len = 5000000;
	fixture_start(f, &spec);
	fixture_wait(f);
	assert_string_equal(buf_text(&f->out), "5000000\n");
	free(large);
}

static void
test_channel(void **state)
{
	struct fixture *f = fixture(state);
	const char *argv[] = { "/bin/sh", "-c",
			       "echo text; echo '{\"a\":1}' >&$STEPMILL_FD", NULL };
	struct program_spec spec = { .argv = argv, .channel = true };

	fixture_start(f, &spec);
	fixture_wait(f);
	assert_string_equal(buf_text(&f->channel), "{\"a\":1}\n");
	assert_string_equal(buf_text(&f->out), "text\n");
	assert_false(f->channel_cut);

	argv[2] = "head -c 200000 /dev/zero >&3";
	fixture_start(f, &spec);
	fixture_wait(f);
	assert_true(f->channel_cut);
	assert_true(f->channel.len <= 64 * 1024);
}

/* /proc/$$/fd is asked by name, since listing it opens one more. */
static void
test_descriptors(void **state)
{
	struct fixture *f = fixture(state);
	const char *const argv[] = {
		"/bin/sh", "-c",
		"i=0; while [ $i -lt 300 ]; do"
		" [ -e /proc/$$/fd/$i ] && printf '%s ' $i; i=$((i+1)); done",
		NULL
	};
	struct program_spec spec = { .argv = argv };
	int mine = open("/dev/null", O_RDONLY); /* without O_CLOEXEC */

	fixture_start(f, &spec);
	fixture_wait(f);
	assert_string_equal(buf_text(&f->out), "0 1 2 ");
	spec.channel = true;
	fixture_start(f, &spec);
	fixture_wait(f);
	assert_string_equal(buf_text(&f->out), "0 1 2 3 ");
	close(mine);
}

static int
by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void
test_environment(void **state)
{
	static const char *const expected[] = {
		"EXTRA",
		"HOME",
		"LANG",
		"PATH",
		"STEPMILL_ATTEMPT",
		"STEPMILL_EXECUTION_ID",
		"STEPMILL_IDEMPOTENCY_KEY",
		"STEPMILL_PROJECT_PATH",
		"STEPMILL_RUN_ID",
		"STEPMILL_STEP",
		"STEPMILL_STEP_NUMBER",
		"TEST_ALLOWED",
		"TMPDIR",
	};
	struct fixture *f = fixture(state);
	const char *const argv[] = { "env", NULL };
	const char *const added[] = { "EXTRA=a=b", "LANG=xx", NULL };
	struct program_spec spec = { .argv = argv, .environment = added };
	char *allowed[] = { (char *)"TEST_ALLOWED", (char *)"TEST_NOT_SET" };
	char *lines[64], *save = NULL;
	size_t count = 0;

	setenv("TEST_ALLOWED", "yes", 1);
	setenv("TEST_SECRET", "canary-1234", 1);
	f->programs->environment = environ;
	f->settings.worker_environment = (struct texts){ allowed, 2 };
	fixture_start(f, &spec);
	fixture_wait(f);
	f->settings.worker_environment = (struct texts){ 0 };
	assert_null(strstr(buf_text(&f->out), "canary"));
	assert_non_null(strstr(buf_text(&f->out), "STEPMILL_STEP=build\n"));
	assert_non_null(strstr(buf_text(&f->out), "STEPMILL_STEP_NUMBER=7\n"));
	assert_non_null(strstr(buf_text(&f->out), "STEPMILL_ATTEMPT=2\n"));
	assert_non_null(strstr(buf_text(&f->out), "STEPMILL_RUN_ID=demo-1\n"));
	assert_non_null(strstr(buf_text(&f->out), "EXTRA=a=b\n"));
	assert_non_null(strstr(buf_text(&f->out), "LANG=xx\n"));
	for (char *line = strtok_r(f->out.data, "\n", &save);
	     line != NULL && count < 64; line = strtok_r(NULL, "\n", &save)) {
		line[strcspn(line, "=")] = '\0';
		lines[count++] = line;
	}
	qsort(lines, count, sizeof lines[0], by_text);
	assert_int_equal(count, sizeof expected / sizeof expected[0]);
	for (size_t i = 0; i < count; i++)
		assert_string_equal(lines[i], expected[i]);
}

static long
memory_kib(void)
{
	FILE *file = fopen("/proc/self/statm", "r");
	long size, resident = 0;

	if (fscanf(file, "%ld %ld", &size, &resident) != 2)
		abort();
	fclose(file);
	return resident * 4;
}

static void
test_a_flood_of_output(void **state)
{
	struct fixture *f = fixture(state);
	long before;

	fixture_run(f, "head -c 2000000 /dev/zero"); /* so that buffers are there */
	before = memory_kib();
	fixture_run(f, "echo first; head -c 200000000 /dev/zero; echo; echo last");
	assert_true(f->total > 200000000);
	assert_true(f->cut);
	assert_true(f->out.len <= 64 * 1024);
	assert_int_equal(strncmp(buf_text(&f->out), "first\n", 6), 0);
	assert_string_equal(f->out.data + f->out.len - 6, "\nlast\n");
	assert_non_null(strstr(buf_text(&f->out), " bytes left out ..."));
	assert_true(memory_kib() - before < 8 * 1024);
}

/* Both pipes full at once, more than they hold: nobody waits for the other. */
static void
test_both_outputs_at_once(void **state)
{
	struct fixture *f = fixture(state);

	fixture_run(f, "for i in $(seq 200); do head -c 20000 /dev/zero;"
		       " head -c 20000 /dev/zero >&2; done");
	assert_int_equal(f->exit_status, 0);
	assert_int_equal(f->total, 4000000);
}

static void
test_private_folder(void **state)
{
	struct fixture *f = fixture(state);
	struct err err = { 0 };
	struct stat st;
	char *folder, *path;

	f->program = program_new(&f->attempt, &err);
	folder = xstrdup(program_folder(f->program));
	path = program_put(f->program, "data", "abc", 3, &err);
	assert_non_null(path);
	assert_int_equal(stat(folder, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	fixture_run(f, "cat $TMPDIR/data; cd $TMPDIR; mkdir -p a/b/c;"
		       " for i in $(seq 100); do echo $i > a/b/$i; done;"
		       " ln -s / root; chmod 000 a/b/c");
	assert_string_equal(buf_text(&f->out), "abc");
	/* Much is removed by a process of its own. */
	for (int i = 0; i < 500 && stat(folder, &st) == 0; i++)
		fixture_turn(f, 10 * USEC_MS);
	assert_int_equal(stat(folder, &st), -1);
	assert_int_equal(stat("/etc/passwd", &st), 0);
	free(folder);
	free(path);
}

static void
test_limits(void **state)
{
	struct fixture *f = fixture(state);

	f->settings.worker_files_max = 77;
	f->settings.worker_address_space_max = 1 << 30;
	fixture_run(f, "ulimit -n; ulimit -c; ulimit -v");
	f->settings.worker_files_max = f->settings.worker_address_space_max = 0;
	assert_string_equal(buf_text(&f->out), "77\n0\n1048576\n");
}

static void
test_signals_are_as_at_the_start(void **state)
{
	struct fixture *f = fixture(state);

	signal(SIGPIPE, SIG_IGN);
	fixture_run(f, "grep -E 'SigBlk|SigIgn' /proc/self/status");
	assert_string_equal(buf_text(&f->out), "SigBlk:\t0000000000000000\n"
					       "SigIgn:\t0000000000000000\n");
}

static void
test_asked_to_stop(void **state)
{
	struct fixture *f = fixture(state);
	char *flag = xprintf("/tmp/stepmill-test-%d", getpid());
	char *script = xprintf("trap 'echo bye; exit 0' TERM; touch %s;"
			       " while :; do sleep 0.05; done",
			       flag);

	fixture_shell(f, script);
	fixture_wait_for_file(f, flag);
	program_stop(f->program, STOP_ASK);
	fixture_wait(f);
	assert_true(f->stopped);
	assert_string_equal(f->code, "stopped");
	assert_string_equal(buf_text(&f->out), "bye\n");
	unlink(flag);
	free(flag);
	free(script);
}

static void
test_stop_before_anything_happened(void **state)
{
	struct fixture *f = fixture(state);

	fixture_shell(f, "sleep 1000");
	program_stop(f->program, STOP_FORCE);
	fixture_wait(f);
	assert_string_equal(f->code, "stopped");
}

static void
on_out(void *context, const char *data, size_t len)
{
	struct fixture *f = context;

	if (len == 0)
		buf_str(&f->channel, "[end]");
	else
		buf_add(&f->channel, data, len);
}

/* It is no attempt's, reads what we write while it runs, and we hear it at once. */
static void
test_a_shared_program(void **state)
{
	struct fixture *f = fixture(state);
	const char *const argv[] = { "/bin/sh", "-c",
				     "read line; echo \"$line $STEPMILL_RUN_ID\"; cat",
				     NULL };
	struct program_spec spec = { .argv = argv,
				     .folder = f->folder,
				     .on_out = on_out };
	struct err err = { 0 };
	int ends[2];

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	fixture_clear(f);
	program_free(&f->program);
	f->program = program_new_shared(f->programs, &err);
	assert_non_null(f->program);
	spec.input_fd = ends[0];
	assert_int_equal(program_start(f->program, &spec, fixture_on_end, f, &err), 0);
	assert_int_equal(write(ends[1], "one\n", 4), 4);
	for (int i = 0; i < 400 && f->channel.len == 0; i++)
		fixture_turn(f, 10 * USEC_MS);
	assert_string_equal(buf_text(&f->channel), "one \n");
	assert_int_equal(write(ends[1], "two\n", 4), 4);
	close(ends[1]);
	fixture_wait(f);
	assert_string_equal(buf_text(&f->channel), "one \ntwo\n[end]");
	assert_int_equal(f->out.len, 0);
	assert_int_equal(f->exit_status, 0);
}

static int
open_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int count = 0;

	while (readdir(dir) != NULL)
		count++;
	closedir(dir);
	return count;
}

static void
test_nothing_is_left_open(void **state)
{
	struct fixture *f = fixture(state);
	int before;

	fixture_run(f, "true");
	before = open_descriptors();
	for (int i = 0; i < 20; i++) {
		fixture_run(f, "echo x");
		fixture_shell(f, "sleep 1000");
		program_free(&f->program);
	}
	fixture_turn(f, 300 * USEC_MS);
	assert_int_equal(open_descriptors(), before);
	assert_true(list_empty(&f->programs->running));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exit_statuses),
		cmocka_unit_test(test_a_missing_program),
		cmocka_unit_test(test_a_long_argument),
		cmocka_unit_test(test_arguments_arrive_byte_for_byte),
		cmocka_unit_test(test_standard_input),
		cmocka_unit_test(test_channel),
		cmocka_unit_test(test_descriptors),
		cmocka_unit_test(test_environment),
		cmocka_unit_test(test_a_flood_of_output),
		cmocka_unit_test(test_both_outputs_at_once),
		cmocka_unit_test(test_private_folder),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_signals_are_as_at_the_start),
		cmocka_unit_test(test_asked_to_stop),
		cmocka_unit_test(test_stop_before_anything_happened),
		cmocka_unit_test(test_a_shared_program),
		cmocka_unit_test(test_nothing_is_left_open),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
