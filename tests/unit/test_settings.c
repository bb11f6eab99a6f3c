/* stepmill.yaml: where it is looked for, what wins, what is refused; and that the
 * sample and the page about it say what the table says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/xalloc.h"
#include "conf/settings.h"
#include "text_file.h"

extern char **environ;

struct home {
	char folder[40];
	char before[4096];
};

/* A folder of its own to stand in, and an environment that says nothing. */
static int
set_up(void **state)
{
	struct home *home = xcalloc(1, sizeof *home);

	strcpy(home->folder, "/tmp/stepmill-test-XXXXXX");
	for (char **variable = environ; *variable != NULL;) {
		char *name = xstrndup(*variable, strcspn(*variable, "="));
		bool ours = strncmp(name, "STEPMILL_", 9) == 0 ||
			    strcmp(name, "DATABASE_URL") == 0 ||
			    strcmp(name, "REDIS_URL") == 0;

		if (ours)
			unsetenv(name);
		else
			variable++;
		free(name);
	}
	assert_non_null(getcwd(home->before, sizeof home->before));
	assert_non_null(mkdtemp(home->folder));
	assert_int_equal(chdir(home->folder), 0);
	*state = home;
	return 0;
}

static int
tear_down(void **state)
{
	struct home *home = *state;

	unlink("stepmill.yaml");
	unlink("other.yaml");
	assert_int_equal(chdir(home->before), 0);
	assert_int_equal(rmdir(home->folder), 0);
	free(home);
	return 0;
}

static void
write_file(const char *name, const char *text)
{
	FILE *file = fopen(name, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void
expect_report(const char *file, const char *expected)
{
	char *report = NULL;
	struct settings *settings = settings_load(file, &report);

	assert_null(settings);
	assert_string_equal(report, expected);
	free(report);
}

static struct settings *
load(const char *file)
{
	char *report = NULL;
	struct settings *settings = settings_load(file, &report);

	if (settings == NULL)
		fail_msg("%s", report);
	return settings;
}

static void
test_without_a_file_there_are_the_defaults(void **state)
{
	struct settings *settings = load(NULL);

	(void)state;
	assert_null(settings->file);
	assert_null(settings->database_url);
	assert_null(settings->redis_url);
	assert_string_equal(settings->http_listen, "127.0.0.1:3456");
	assert_int_equal(settings->http_body_max, 4 << 20);
	assert_int_equal(settings->http_header_max, 32 << 10);
	assert_int_equal(settings->http_connections_max, 1024);
	assert_true(settings->auth_required);
	assert_int_equal(settings->pool_workers, 2);
	assert_int_equal(settings->pool_workers_max, 64);
	assert_int_equal(settings->pool_drain_timeout, 60 * USEC_SECOND);
	assert_int_equal(settings->worker_slots, 64);
	assert_int_equal(settings->worker_queues.count, 1);
	assert_string_equal(settings->worker_queues.list[0], "default");
	assert_int_equal(settings->worker_lease, 10 * USEC_SECOND);
	assert_int_equal(settings->worker_poison_limit, 3);
	assert_int_equal(settings->worker_output_max, 1 << 20);
	assert_null(settings->worker_user);
	assert_int_equal(settings->http_allow.count, 0);
	assert_int_equal(settings->sweep_interval, 2 * USEC_SECOND);
	assert_int_equal(settings->retention, 0);
	assert_int_equal(settings->database_statement_timeout, 30 * USEC_SECOND);
	assert_string_equal(settings->forge_url, "https://api.github.com");
	assert_false(settings->development);
	settings_free(&settings);
	settings_free(&settings);
}

static void
test_which_file_is_read(void **state)
{
	struct settings *settings;

	(void)state;
	write_file("stepmill.yaml", "pool: { workers: 3 }\n");
	write_file("other.yaml", "pool: { workers: 4 }\n");
	settings = load(NULL);
	assert_int_equal(settings->pool_workers, 3);
	assert_string_equal(settings->file, "stepmill.yaml");
	settings_free(&settings);
	setenv("STEPMILL_CONFIG", "other.yaml", 1);
	settings = load(NULL);
	assert_int_equal(settings->pool_workers, 4);
	settings_free(&settings);
	settings = load("stepmill.yaml");
	assert_int_equal(settings->pool_workers, 3);
	settings_free(&settings);
}

static void
test_a_named_file_has_to_be_there(void **state)
{
	(void)state;
	expect_report("other.yaml", "other.yaml: No such file or directory");
	expect_report("/", "/: Is a directory");
	setenv("STEPMILL_CONFIG", "missing.yaml", 1);
	expect_report(NULL, "missing.yaml: No such file or directory");
}

static void
test_the_environment_wins(void **state)
{
	struct settings *settings;

	(void)state;
	write_file("stepmill.yaml", "pool: { workers: 3 }\n"
				    "database: { url: 'postgresql:///file' }\n");
	setenv("STEPMILL_POOL_WORKERS", "7", 1);
	setenv("STEPMILL_WORKER_QUEUES", "gpu, default", 1);
	setenv("STEPMILL_DEVELOPMENT", "1", 1);
	setenv("DATABASE_URL", "postgresql:///less", 1);
	setenv("REDIS_URL", "redis://somewhere", 1);
	settings = load(NULL);
	assert_int_equal(settings->pool_workers, 7);
	assert_int_equal(settings->worker_queues.count, 2);
	assert_string_equal(settings->worker_queues.list[0], "gpu");
	assert_string_equal(settings->database_url, "postgresql:///file");
	assert_string_equal(settings->redis_url, "redis://somewhere");
	assert_true(settings->development);
	settings_free(&settings);
	setenv("STEPMILL_DATABASE_URL", "postgresql:///most", 1);
	settings = load(NULL);
	assert_string_equal(settings->database_url, "postgresql:///most");
	settings_free(&settings);
}

static void
test_everything_wrong_is_told_at_once(void **state)
{
	(void)state;
	write_file("stepmill.yaml", "worker:\n"
				    "  slots: 900\n"
				    "  slot: 3\n"
				    "log: { level: loud, format: xml }\n"
				    "pool: { workers: 9, workers_max: 8 }\n");
	setenv("STEPMILL_WORKER_LEASE", "10", 1);
	setenv("STEPMILL_REDIS_PREFIX", "a b", 1);
	expect_report(
	    NULL,
	    "stepmill.yaml:2:10: worker.slots: 900 is more than 256\n"
	    "stepmill.yaml:3:3: worker.slot: unknown key, did you mean "
	    "worker.slots?\n"
	    "stepmill.yaml:4:15: log.level: expected debug, info, warn or error\n"
	    "stepmill.yaml:4:29: log.format: expected json or text\n"
	    "stepmill.yaml:5:18: pool.workers: more than pool.workers_max\n"
	    "environment: STEPMILL_WORKER_LEASE: \"10\" is not a duration: a number "
	    "lacks its unit, like 10s\n"
	    "environment: STEPMILL_REDIS_PREFIX: expected up to 64 letters, digits, "
	    "dots, dashes or underscores");
}

static void
test_proxies(void **state)
{
	(void)state;
	write_file("stepmill.yaml",
		   "http:\n"
		   "  trusted_proxies: [10.0.0.0/8, \"::1\", unix, host]\n");
	expect_report(NULL,
		      "stepmill.yaml:2:20: http.trusted_proxies: expected up to 64 "
		      "addresses or nets, like 10.0.0.5, 10.0.0.0/8 or ::1, or unix");
	write_file("stepmill.yaml", "http: { proxy_protocol: on }\n");
	expect_report(NULL,
		      "stepmill.yaml:1:25: http.proxy_protocol: nobody may use it: "
		      "http.trusted_proxies names no proxy");
}

static void
test_broken_yaml_is_told(void **state)
{
	(void)state;
	write_file("stepmill.yaml", "pool:\n\tworkers: 3\n");
	expect_report(NULL, "stepmill.yaml:2:1: a tab cannot indent: use spaces");
}

struct form {
	const char *variable, *value;
	bool good;
};

static const struct form forms[] = {
	{ "STEPMILL_HTTP_LISTEN", "127.0.0.1:0", true },
	{ "STEPMILL_HTTP_LISTEN", "[::1]:3456", true },
	{ "STEPMILL_HTTP_LISTEN", "unix:/run/stepmill.sock", true },
	{ "STEPMILL_HTTP_LISTEN", "unix:relative", false },
	{ "STEPMILL_HTTP_LISTEN", ":3456", false },
	{ "STEPMILL_HTTP_LISTEN", "localhost", false },
	{ "STEPMILL_HTTP_LISTEN", "localhost:70000", false },
	{ "STEPMILL_HTTP_LISTEN", "localhost:12x", false },
	{ "STEPMILL_HTTP_LISTEN", "localhost:", false },
	{ "STEPMILL_REDIS_URL", "redis://:p@h:1/2", true },
	{ "STEPMILL_REDIS_URL", "unix:/run/redis.sock", true },
	{ "STEPMILL_REDIS_URL", "http://h", false },
	{ "STEPMILL_LOG_LEVEL", "warn", true },
	{ "STEPMILL_LOG_LEVEL", "fatal", false },
	{ "STEPMILL_LOG_FORMAT", "text", true },
	{ "STEPMILL_LOG_FORMAT", "JSON", false },
	{ "STEPMILL_WORKER_QUEUES", "a,b-c,d.e_f", true },
	{ "STEPMILL_WORKER_QUEUES", "a b", false },
	{ "STEPMILL_WORKER_QUEUES", ",", false },
	{ "STEPMILL_WORKER_ENVIRONMENT", "PATH,_X9", true },
	{ "STEPMILL_WORKER_ENVIRONMENT", "9X", false },
	{ "STEPMILL_WORKER_ENVIRONMENT", "A-B", false },
	{ "STEPMILL_WORKER_ENVIRONMENT", "A=B", false },
	{ "STEPMILL_FORGE_URL", "http://127.0.0.1:9", true },
	{ "STEPMILL_FORGE_URL", "ftp://x", false },
	{ "STEPMILL_POOL_WORKERS", "65", false },
};

static void
test_forms_of_texts(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
		char *report = NULL;
		struct settings *settings;

		setenv(forms[i].variable, forms[i].value, 1);
		settings = settings_load(NULL, &report);
		if ((settings != NULL) != forms[i].good)
			fail_msg("%s=%s: %s", forms[i].variable, forms[i].value,
				 report != NULL ? report : "taken");
		if (report != NULL && strstr(report, forms[i].variable) == NULL)
			fail_msg("%s is not named: %s", forms[i].variable, report);
		free(report);
		settings_free(&settings);
		unsetenv(forms[i].variable);
	}
}

static void
test_the_dump_shows_no_secret(void **state)
{
	struct settings *settings;
	char *dump;

	(void)state;
	setenv("STEPMILL_DATABASE_URL", "postgresql://u:canary1@h/d", 1);
	setenv("STEPMILL_REDIS_URL", "redis://:canary2@h", 1);
	setenv("STEPMILL_FORGE_TOKEN", "canary3", 1);
	settings = load(NULL);
	dump = option_dump(settings_table, settings);
	assert_null(strstr(dump, "canary"));
	free(dump);
	settings_free(&settings);
}

/* Every field of the struct has its row, and no two rows share a place. */
static void
test_the_table_has_no_two_rows_for_a_place(void **state)
{
	(void)state;
	for (const struct option *a = settings_table; a->name != NULL; a++) {
		assert_non_null(a->help);
		for (const struct option *b = a + 1; b->name != NULL; b++) {
			assert_int_not_equal(a->offset, b->offset);
			assert_string_not_equal(a->name, b->name);
		}
	}
}

/* "1s to 1h", "at least 0B", or nothing. */
static void
add_limits(const struct option *option, struct buf *out)
{
	if (option->least != NULL && option->most != NULL)
		buf_printf(out, "%s to %s", option->least, option->most);
	else if (option->least != NULL)
		buf_printf(out, "at least %s", option->least);
}

static void
add_preset(const struct option *option, struct buf *out)
{
	if (option->preset != NULL && option->type == OPT_TEXTS)
		buf_printf(out, "[%s]", option->preset);
	else if (option->preset != NULL)
		buf_str(out, option->preset);
	else if (option->type == OPT_TEXTS)
		buf_str(out, "[]");
}

/* One option as the sample shows it. */
static void
add_sample(const struct option *option, struct buf *out)
{
	const char *dot = strchr(option->name, '.');
	const char *indent = dot != NULL ? "  " : "";
	char *variable = option_variable(option->name);

	buf_printf(out, "%s# %s\n%s# ", indent, option->help, indent);
	if (option->least != NULL) {
		add_limits(option, out);
		buf_str(out, "; ");
	}
	buf_printf(out, "%s%s\n%s#%s:", variable,
		   (option->flags & OPT_RELOAD) != 0 ? "; read again on SIGHUP" : "",
		   indent, dot != NULL ? dot + 1 : option->name);
	if (option->preset != NULL || option->type == OPT_TEXTS)
		buf_char(out, ' ');
	add_preset(option, out);
	buf_char(out, '\n');
	free(variable);
}

static char *
expected_sample(void)
{
	struct buf out = { 0 };
	const char *section = "";
	size_t section_len = 0;

	for (const struct option *option = settings_table; option->name != NULL;
	     option++) {
		const char *dot = strchr(option->name, '.');
		size_t len = dot != NULL ? (size_t)(dot - option->name) : 0;

		if (out.len > 0)
			buf_char(&out, '\n');
		if (len > 0 &&
		    (len != section_len || strncmp(section, option->name, len) != 0))
			buf_printf(&out, "%.*s:\n", (int)len, option->name);
		section = option->name;
		section_len = len;
		add_sample(option, &out);
	}
	return buf_take(&out);
}

static char *
expected_page(void)
{
	struct buf out = { 0 };

	for (const struct option *option = settings_table; option->name != NULL;
	     option++) {
		buf_printf(&out, "| `%s` | ", option->name);
		if (option->preset != NULL || option->type == OPT_TEXTS) {
			buf_char(&out, '`');
			add_preset(option, &out);
			buf_str(&out, "` ");
		}
		buf_str(&out, "| ");
		add_limits(option, &out);
		buf_printf(&out, "%s| %s | %s |\n", option->least != NULL ? " " : "",
			   (option->flags & OPT_RELOAD) != 0 ? "yes" : "no",
			   option->help);
	}
	return buf_take(&out);
}

/* The file from the line that begins like expected on has to be expected. */
static void
expect_in_file(const char *path, const char *expected)
{
	char *text = text_file_read(path, NULL), *from, *first;
	size_t same = 0;

	assert_non_null(text);
	first = xstrndup(expected, strcspn(expected, "\n") + 1);
	from = strstr(text, first);
	if (from == NULL)
		fail_msg("%s: no line %s", path, first);
	while (expected[same] != '\0' && expected[same] == from[same])
		same++;
	if (expected[same] != '\0')
		fail_msg("%s: expected ...%.200s\nthere is ...%.200s", path,
			 expected + same, from + same);
	free(first);
	free(text);
}

static void
test_the_sample_is_the_table(void **state)
{
	char *expected = expected_sample();
	struct settings *settings;
	char *report = NULL;

	(void)state;
	expect_in_file(TESTS_DIR "/../deploy/stepmill.yaml", expected);
	free(expected);
	settings = settings_load(TESTS_DIR "/../deploy/stepmill.yaml", &report);
	assert_null(report);
	settings_free(&settings);
}

/* Takes the # away before "#key:": every key as given in the sample. */
static char *
uncommented(const char *sample)
{
	struct buf out = { 0 };
	size_t len;

	for (; *sample != '\0'; sample += len) {
		size_t blanks = strspn(sample, " ");
		const char *rest = sample + blanks;

		len = strcspn(sample, "\n") + 1;
		if (rest[0] == '#' && rest[1] >= 'a' && rest[1] <= 'z') {
			buf_add(&out, sample, blanks);
			buf_add(&out, rest + 1, len - blanks - 1);
		} else {
			buf_add(&out, sample, len);
		}
	}
	return buf_take(&out);
}

static void
test_the_samples_values_are_the_defaults(void **state)
{
	char *sample = expected_sample(), *text = uncommented(sample), *a, *b;
	struct settings *defaults = load(NULL), *settings;

	(void)state;
	write_file("stepmill.yaml", text);
	settings = load(NULL);
	a = option_dump(settings_table, defaults);
	b = option_dump(settings_table, settings);
	assert_string_equal(a, b);
	free(a);
	free(b);
	free(text);
	free(sample);
	settings_free(&defaults);
	settings_free(&settings);
}

static void
test_the_page_is_the_table(void **state)
{
	char *expected = expected_page();

	(void)state;
	expect_in_file(TESTS_DIR "/../docs/configuration.md", expected);
	free(expected);
}

static void
test_both_servers_have_to_be_named(void **state)
{
	struct settings *settings;
	struct err err = { 0 };

	(void)state;
	settings = load(NULL);
	assert_int_equal(settings_name_servers(settings, &err), -1);
	assert_int_equal(err.kind, ERR_INPUT);
	assert_non_null(strstr(err.text, "database.url is not set"));
	settings_free(&settings);

	write_file("stepmill.yaml", "database: { url: host=/run }\n");
	settings = load(NULL);
	err = (struct err){ 0 };
	assert_int_equal(settings_name_servers(settings, &err), -1);
	assert_non_null(strstr(err.text, "redis.url is not set"));
	settings_free(&settings);

	write_file("stepmill.yaml",
		   "database: { url: host=/run }\nredis: { url: unix:/r }\n");
	settings = load(NULL);
	err = (struct err){ 0 };
	assert_int_equal(settings_name_servers(settings, &err), 0);
	settings_free(&settings);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_without_a_file_there_are_the_defaults),
		TEST(test_which_file_is_read),
		TEST(test_a_named_file_has_to_be_there),
		TEST(test_the_environment_wins),
		TEST(test_everything_wrong_is_told_at_once),
		TEST(test_proxies),
		TEST(test_broken_yaml_is_told),
		TEST(test_forms_of_texts),
		TEST(test_the_dump_shows_no_secret),
		TEST(test_the_table_has_no_two_rows_for_a_place),
		TEST(test_the_sample_is_the_table),
		TEST(test_the_samples_values_are_the_defaults),
		TEST(test_the_page_is_the_table),
		TEST(test_both_servers_have_to_be_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
