/*
 * Nothing of a program survives it, whatever it does to get away, in each of the ways
 * that there are: PID namespace, user namespace, control group, sub-reaper. Battery F1,
 * F3 and invariant I-13.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "program_fixture.h"

#define NOBODY     65534
#define PROMPT_END 2.0 /* seconds */

struct world {
	struct fixture f;
	char marker[32]; /* in the command lines of what must not survive */
	char flag[128];
};

static struct world *
world_new(enum isolation isolation)
{
	static int counter;
	struct world *w = xcalloc(1, sizeof *w);

	fixture_init(&w->f, isolation);
	snprintf(w->marker, sizeof w->marker, "9%d%03d", getpid(), ++counter);
	snprintf(w->flag, sizeof w->flag, "/tmp/stepmill-test-%s", w->marker);
	return w;
}

static void
world_free(struct world *w)
{
	fixture_fini(&w->f);
	unlink(w->flag);
	free(w);
}

/* Starts a script in which %M is the marker and %F a file it makes when it is ready. */
static void
start(struct world *w, const char *script)
{
	struct buf text = { 0 };

	for (; *script != '\0'; script++) {
		if (strncmp(script, "%M", 2) == 0 || strncmp(script, "%F", 2) == 0) {
			buf_str(&text, script[1] == 'M' ? w->marker : w->flag);
			script++;
		} else {
			buf_char(&text, *script);
		}
	}
	fixture_shell(&w->f, buf_text(&text));
	buf_fini(&text);
}

static int
survivors(struct world *w)
{
	return fixture_count(w->marker);
}

#define ESCAPES                                                                        \
	"setsid sleep %M & "                                                           \
	"nohup sleep %M >/dev/null 2>&1 & "                                            \
	"(setsid sh -c 'sleep %M & sleep %M' &) ; "                                    \
	"(sh -c 'trap \"\" TERM HUP INT; sleep %M & setsid setsid sleep %M' &) ; "     \
	"python3 -c 'import os,time\n"                                                 \
	"for i in range(3):\n"                                                         \
	"  if os.fork(): os._exit(0)\n"                                                \
	"  os.setsid()\n"                                                              \
	"os.execvp(\"sleep\", [\"sleep\", \"%M\"])' & "

/* ---- what is tried in each way ---- */

static void
check_force(enum isolation way)
{
	struct world *w = world_new(way);
	double begin;

	assert_int_equal(w->f.programs->isolation, way);
	start(w, ESCAPES "sleep 0.3; touch %F; sleep %M");
	fixture_wait_for_file(&w->f, w->flag);
	assert_true(survivors(w) >= 6);
	begin = fixture_seconds();
	program_stop(w->f.program, STOP_FORCE);
	fixture_wait(&w->f);
	assert_true(fixture_seconds() - begin < PROMPT_END);
	assert_int_equal(survivors(w), 0);
	world_free(w);
}

/* The program ends by itself and leaves others behind: they end with it. */
static void
check_left_behind(enum isolation way)
{
	struct world *w = world_new(way);
	double begin = fixture_seconds();

	start(w, ESCAPES "sleep 0.3; echo done; exit 4");
	fixture_wait(&w->f);
	assert_true(fixture_seconds() - begin < PROMPT_END);
	assert_int_equal(w->f.exit_status, 4);
	assert_string_equal(buf_text(&w->f.out), "done\n");
	assert_int_equal(survivors(w), 0);
	world_free(w);
}

static void
check_ignores_sigterm(enum isolation way)
{
	struct world *w = world_new(way);
	double begin;

	start(w, "trap '' TERM; touch %F; while :; do sleep %M; done");
	fixture_wait_for_file(&w->f, w->flag);
	program_stop(w->f.program, STOP_ASK);
	fixture_turn(&w->f, 200 * USEC_MS);
	assert_false(w->f.done);
	begin = fixture_seconds();
	program_stop(w->f.program, STOP_FORCE);
	fixture_wait(&w->f);
	assert_true(fixture_seconds() - begin < PROMPT_END);
	assert_int_equal(survivors(w), 0);
	world_free(w);
}

/* SIGTERM reaches what left the group, and what is stopped. */
static void
check_asking(enum isolation way)
{
	struct world *w = world_new(way);
	double begin;

	start(w, "setsid sh -c 'trap \"echo heard; exit\" TERM; touch %F;"
		 " while :; do sleep 0.05; done' & kill -STOP $$; wait; sleep %M");
	fixture_wait_for_file(&w->f, w->flag);
	begin = fixture_seconds();
	program_stop(w->f.program, STOP_ASK);
	fixture_wait(&w->f);
	assert_true(fixture_seconds() - begin < PROMPT_END);
	assert_int_equal(survivors(w), 0);
	world_free(w);
}

static void
check_closed_outputs(enum isolation way)
{
	struct world *w = world_new(way);

	start(w, "exec >&- 2>&-; touch %F; sleep %M");
	fixture_wait_for_file(&w->f, w->flag);
	fixture_turn(&w->f, 100 * USEC_MS);
	assert_false(w->f.done);
	program_stop(w->f.program, STOP_FORCE);
	fixture_wait(&w->f);
	assert_int_equal(survivors(w), 0);
	world_free(w);
}

/* Whoever is freed without being asked ends as well. */
static void
check_abandoned(enum isolation way)
{
	struct world *w = world_new(way);

	start(w, ESCAPES "touch %F; sleep %M");
	fixture_wait_for_file(&w->f, w->flag);
	program_free(&w->f.program);
	for (int i = 0; i < 200 && !list_empty(&w->f.programs->running); i++)
		fixture_turn(&w->f, 10 * USEC_MS);
	assert_true(list_empty(&w->f.programs->running));
	assert_int_equal(survivors(w), 0);
	world_free(w);
}

/* The end of the shared part ends them too, and waits for it. */
static void
check_last_moment(enum isolation way)
{
	struct world *w = world_new(way);

	start(w, ESCAPES "touch %F; sleep %M");
	fixture_wait_for_file(&w->f, w->flag);
	program_free(&w->f.program);
	programs_free(&w->f.programs);
	assert_int_equal(survivors(w), 0);
	world_free(w);
}

static void
be_a_worker(enum isolation way, const char *flag, const char *marker)
{
	struct world w = { 0 };

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	fixture_init(&w.f, way);
	snprintf(w.marker, sizeof w.marker, "%s", marker);
	snprintf(w.flag, sizeof w.flag, "%s", flag);
	start(&w, ESCAPES "sleep 0.3; touch %F; sleep %M");
	loop_run(w.f.loop);
}

/* kill -9 of the worker: the kernel or init ends the tree; the next worker removes the
 * private folders. */
static void
check_worker_death(enum isolation way)
{
	struct world *w = world_new(way);
	char *folders = xprintf("/tmp/stepmill-test-base-%s", w->marker);
	pid_t worker;
	DIR *dir;
	int count = 0;

	mkdir(folders, 0755);
	setenv("TMPDIR", folders, 1);
	worker = fork();
	if (worker == 0) {
		be_a_worker(way, w->flag, w->marker);
		_exit(0);
	}
	fixture_wait_for_file(&w->f, w->flag);
	assert_true(survivors(w) >= 6);
	kill(worker, SIGKILL);
	waitpid(worker, NULL, 0);
	for (int i = 0; i < 200 && survivors(w) > 0; i++)
		fixture_turn(&w->f, 10 * USEC_MS);
	assert_int_equal(survivors(w), 0);
	fixture_fini(&w->f);
	fixture_init(&w->f, way); /* sweeps */
	fixture_turn(&w->f, 300 * USEC_MS);
	dir = opendir(folders);
	while (readdir(dir) != NULL)
		count++;
	closedir(dir);
	assert_int_equal(count, 3); /* ".", ".." and its own */
	world_free(w);
	unsetenv("TMPDIR");
	assert_int_equal(rmdir(folders), 0);
	free(folders);
}

static void
check_many(enum isolation way)
{
	struct world *w = world_new(way);
	double begin;

	start(w, "for i in $(seq 300); do setsid sleep %M & done; touch %F; wait");
	fixture_wait_for_file(&w->f, w->flag);
	begin = fixture_seconds();
	program_stop(w->f.program, STOP_FORCE);
	fixture_wait(&w->f);
	assert_true(fixture_seconds() - begin < PROMPT_END);
	assert_int_equal(survivors(w), 0);
	world_free(w);
}

static void
check_all(enum isolation way)
{
	check_force(way);
	check_left_behind(way);
	check_ignores_sigterm(way);
	check_asking(way);
	check_closed_outputs(way);
	check_abandoned(way);
	check_last_moment(way);
	check_worker_death(way);
	check_many(way);
}

static void
test_namespace(void **state)
{
	(void)state;
	check_all(ISOLATION_NAMESPACE);
}

static void
test_user_namespace(void **state)
{
	(void)state;
	check_all(ISOLATION_USER_NAMESPACE);
}

static void
test_cgroup(void **state)
{
	(void)state;
	check_all(ISOLATION_CGROUP);
}

static void
test_reaper(void **state)
{
	(void)state;
	check_all(ISOLATION_REAPER);
}

/* ---- attacks on stepmill-init itself ---- */

static void
check_stopped_init(enum isolation way)
{
	struct world *w = world_new(way);
	double begin;

	start(w, ESCAPES "kill -STOP $PPID; sleep 0.2; touch %F; sleep %M");
	fixture_wait_for_file(&w->f, w->flag);
	begin = fixture_seconds();
	program_stop(w->f.program, STOP_FORCE);
	fixture_wait(&w->f);
	assert_true(fixture_seconds() - begin < PROMPT_END);
	assert_int_equal(survivors(w), 0);
	world_free(w);
}

/* In a namespace process 1 cannot be reached from inside. */
static void
test_init_is_stopped(void **state)
{
	(void)state;
	for (int way = 0; way < ISOLATIONS; way++)
		check_stopped_init((enum isolation)way);
}

/* Killed by its program: what comes to us as sub-reaper is ended by us. */
static void
test_init_is_killed(void **state)
{
	(void)state;
	for (int way = ISOLATION_CGROUP; way < ISOLATIONS; way++) {
		struct world *w = world_new((enum isolation)way);

		start(w, ESCAPES "sleep 0.3; kill -KILL $PPID; sleep %M");
		fixture_wait(&w->f);
		assert_int_equal(survivors(w), 0);
		assert_string_equal(w->f.code, "signal");
		world_free(w);
	}
}

/* Others that run meanwhile are spared. */
static void
test_orphans_only(void **state)
{
	struct world *w = world_new(ISOLATION_REAPER);
	struct world *v = xcalloc(1, sizeof *v);

	(void)state;
	v->f = w->f; /* the same loop and programs */
	snprintf(v->marker, sizeof v->marker, "8%.30s", w->marker + 1);
	snprintf(v->flag, sizeof v->flag, "/tmp/stepmill-test-%s", v->marker);
	start(v, "touch %F; sleep %M");
	fixture_wait_for_file(&v->f, v->flag);
	start(w, ESCAPES "sleep 0.3; kill -KILL $PPID; sleep %M");
	fixture_wait(&w->f);
	assert_int_equal(survivors(w), 0);
	assert_true(survivors(v) >= 2);
	program_stop(v->f.program, STOP_FORCE);
	fixture_wait(&v->f);
	assert_int_equal(survivors(v), 0);
	fixture_clear(&v->f);
	unlink(v->flag);
	free(v);
	world_free(w);
}

/* ---- who it runs as ---- */

static void
test_another_user(void **state)
{
	struct fixture f = { .settings.worker_user = (char *)"nobody" };

	(void)state;
	assert_int_equal(geteuid(), 0);
	fixture_init(&f, ISOLATION_NAMESPACE);
	fixture_run(&f, "id -u; echo x > $TMPDIR/x && cat $TMPDIR/x;"
			" echo y > /dev/stderr; cat /etc/shadow; exit 0");
	assert_string_equal(buf_text(&f.out), "65534\nx\n");
	assert_int_equal(strncmp(buf_text(&f.errors), "y\n", 2), 0);
	assert_non_null(strstr(buf_text(&f.errors), "Permission denied"));
	f.settings.worker_processes_max = 20;
	fixture_run(&f, "for i in $(seq 60); do sleep 30 & done; sleep 0.2");
	assert_non_null(strstr(buf_text(&f.errors), "ork"));
	fixture_fini(&f);
}

static void
test_an_unknown_user(void **state)
{
	struct settings settings = { .worker_user = (char *)"no-such-user-here" };
	struct programs_conf conf = { .settings = &settings };
	struct err err = { 0 };
	char *init = fixture_init_path();

	(void)state;
	conf.init = init;
	assert_null(programs_new(&conf, &err));
	assert_int_equal(err.kind, ERR_INPUT);
	assert_non_null(strstr(err.text, "no-such-user-here"));
	free(init);
}

static void
test_no_init(void **state)
{
	struct settings settings = { 0 };
	struct programs_conf conf = { .settings = &settings, .init = "/nowhere/init" };
	struct err err = { 0 };

	(void)state;
	assert_null(programs_new(&conf, &err));
	assert_non_null(strstr(err.text, "/nowhere/init"));
}

/* Without any privilege a user namespace is what is chosen, and it holds. */
static void
as_nobody(void)
{
	struct world *w;

	if (setgroups(0, NULL) < 0 || setgid(NOBODY) < 0 || setuid(NOBODY) < 0)
		_exit(2);
	prctl(PR_SET_DUMPABLE, 1);
	w = world_new(ISOLATION_NAMESPACE);
	if (w->f.programs->isolation != ISOLATION_USER_NAMESPACE)
		_exit(3);
	start(w, ESCAPES "id -u; sleep 0.3; touch %F; sleep %M");
	fixture_wait_for_file(&w->f, w->flag);
	if (survivors(w) < 6)
		_exit(4);
	program_stop(w->f.program, STOP_FORCE);
	fixture_wait(&w->f);
	if (survivors(w) != 0 || strcmp(buf_text(&w->f.out), "65534\n") != 0)
		_exit(5);
	world_free(w);
	_exit(0);
}

static void
test_without_privileges(void **state)
{
	int status = 0;
	pid_t pid = fork();

	(void)state;
	if (pid == 0)
		as_nobody();
	waitpid(pid, &status, 0);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_namespace),
		cmocka_unit_test(test_user_namespace),
		cmocka_unit_test(test_cgroup),
		cmocka_unit_test(test_reaper),
		cmocka_unit_test(test_init_is_stopped),
		cmocka_unit_test(test_init_is_killed),
		cmocka_unit_test(test_orphans_only),
		cmocka_unit_test(test_another_user),
		cmocka_unit_test(test_an_unknown_user),
		cmocka_unit_test(test_no_init),
		cmocka_unit_test(test_without_privileges),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
