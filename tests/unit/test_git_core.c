/* What git prints for programs, as JSON; and values before they become arguments. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "tools/git_core.h"

typedef struct json *read_fn(const char *text, size_t len, struct err *err);

static struct json *
names(const char *text, size_t len, struct err *err)
{
	(void)err;
	return git_read_names(text, len);
}

/* In these texts '$' stands for NUL. expected NULL: refused. */
static const struct {
	read_fn *read;
	const char *text, *expected;
} rows[] = {
	{ git_read_log, "", "[]" },
	{ git_read_log,
	  "aa$Ann$a@x$2026-01-02T03:04:05Z$First$$\n"
	  "bb$B\xc3\xb6$b@x$2026-01-01T00:00:00+01:00$Second: more$Line\n\nTwo\n$\n",
	  "[{\"sha\":\"aa\",\"author\":\"Ann\",\"email\":\"a@x\","
	  "\"date\":\"2026-01-02T03:04:05Z\",\"subject\":\"First\",\"body\":\"\"},"
	  "{\"sha\":\"bb\",\"author\":\"B\xc3\xb6\",\"email\":\"b@x\","
	  "\"date\":\"2026-01-01T00:00:00+01:00\",\"subject\":\"Second: more\","
	  "\"body\":\"Line\\n\\nTwo\"}]" },
	{ git_read_log, "aa$\xff$e$d$s$b$\n",
	  "[{\"sha\":\"aa\",\"author\":\"\xef\xbf\xbd\",\"email\":\"e\",\"date\":\"d\","
	  "\"subject\":\"s\",\"body\":\"b\"}]" },
	{ git_read_log, "aa$b$c$d$e$", NULL },
	{ git_read_log, "aa$b$c$d$e$f$", NULL },
	{ git_read_log, "fatal: no\n", NULL },

	{ git_read_status, "# branch.oid 12$# branch.head main$",
	  "{\"branch\":\"main\",\"clean\":true,\"files\":[],\"staged\":[],"
	  "\"modified\":[],\"untracked\":[]}" },
	{ git_read_status, "# branch.oid (initial)$# branch.head (detached)$",
	  "{\"branch\":null,\"clean\":true,\"files\":[],\"staged\":[],"
	  "\"modified\":[],\"untracked\":[]}" },
	{ git_read_status,
	  "1 A. N... 000000 100644 100644 0 1 new file$"
	  "1 .M N... 100644 100644 100644 1 1 changed$"
	  "1 MM N... 100644 100644 100644 1 2 both$"
	  "1 D. N... 100644 000000 000000 1 0 gone$"
	  "2 R. N... 100644 100644 100644 1 1 R100 to$from$"
	  "u UU N... 1 2 3 4 5 6 7 fight$"
	  "? un tracked\n$",
	  "{\"branch\":null,\"clean\":false,\"files\":["
	  "{\"path\":\"new file\",\"status\":\"added\"},"
	  "{\"path\":\"changed\",\"status\":\"modified\"},"
	  "{\"path\":\"both\",\"status\":\"modified\"},"
	  "{\"path\":\"gone\",\"status\":\"deleted\"},"
	  "{\"path\":\"to\",\"status\":\"renamed\"},"
	  "{\"path\":\"fight\",\"status\":\"conflicted\"},"
	  "{\"path\":\"un tracked\\n\",\"status\":\"untracked\"}],"
	  "\"staged\":[\"new file\",\"both\",\"gone\",\"to\"],"
	  "\"modified\":[\"changed\",\"both\",\"fight\"],"
	  "\"untracked\":[\"un tracked\\n\"]}" },
	{ git_read_status, "1 A. N... 000000$", NULL },
	{ git_read_status, "2 R. N... 1 2 3 4 5 R100 to$", NULL },
	{ git_read_status, "x$", NULL },
	{ git_read_status, "$", NULL },
	{ git_read_status, "? a", NULL },

	{ git_read_numstat, "", "{\"files\":[],\"added\":0,\"removed\":0}" },
	{ git_read_numstat, "3\t4\ta b$-\t-\tpic$0\t1\tc\td$",
	  "{\"files\":[{\"path\":\"a b\",\"added\":3,\"removed\":4},"
	  "{\"path\":\"pic\",\"added\":null,\"removed\":null},"
	  "{\"path\":\"c\\td\",\"added\":0,\"removed\":1}],\"added\":3,\"removed\":"
	  "5}" },
	{ git_read_numstat, "3\ta$", NULL },
	{ git_read_numstat, "x\t1\ta$", NULL },
	{ git_read_numstat, "3\t4\ta", NULL },
	{ git_read_numstat, "-", NULL },

	{ names, "a$b c$", "[\"a\",\"b c\"]" },
	{ names, "", "[]" },
};

static void
test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		size_t len = strlen(rows[i].text);
		char *text = malloc(len + 1), *got;
		struct json *json;
		struct err err = { 0 };

		memcpy(text, rows[i].text, len + 1);
		for (size_t c = 0; c < len; c++)
			if (text[c] == '$')
				text[c] = '\0';
		json = rows[i].read(text, len, &err);
		if ((json == NULL) != (rows[i].expected == NULL))
			fail_msg("row %zu: %s", i, err.text);
		if (json != NULL) {
			got = json_text(json);
			assert_string_equal(got, rows[i].expected);
			free(got);
		}
		json_unref(&json);
		free(text);
	}
}

static void
test_remotes(void **state)
{
	static const struct {
		const char *url, *owner, *repository;
	} remotes[] = {
		{ "https://github.com/acme/tool.git", "acme", "tool" },
		{ "https://github.com/acme/tool", "acme", "tool" },
		{ "https://github.com/acme/tool/", "acme", "tool" },
		{ "https://user:token@github.com/acme/tool.git", "acme", "tool" },
		{ "git@github.com:acme/tool.git", "acme", "tool" },
		{ "github.com:acme/tool", "acme", "tool" },
		{ "ssh://git@host:22/acme/tool.js.git", "acme", "tool.js" },
		{ "https://host/group/acme/tool", "acme", "tool" },
		{ "/srv/git/tool.git", NULL, NULL },
		{ "../acme/tool", NULL, NULL },
		{ "https://github.com/tool", NULL, NULL },
		{ "https://github.com/", NULL, NULL },
		{ "https://github.com", NULL, NULL },
		{ "https://github.com/acme/../tool", NULL, NULL },
		{ "https://github.com/acme/t%20l", NULL, NULL },
		{ "https://github.com/acme/.git", NULL, NULL },
		{ "https://github.com/-x/tool", NULL, NULL },
		{ "", NULL, NULL },
		{ ":", NULL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof remotes / sizeof remotes[0]; i++) {
		char *owner = NULL, *repository = NULL;
		struct err err = { 0 };
		int result = git_read_remote(remotes[i].url, &owner, &repository, &err);

		if ((result == 0) != (remotes[i].owner != NULL))
			fail_msg("%s gave %s/%s", remotes[i].url, owner, repository);
		if (result == 0) {
			assert_string_equal(owner, remotes[i].owner);
			assert_string_equal(repository, remotes[i].repository);
		}
		free(owner);
		free(repository);
	}
}

static void
test_values(void **state)
{
	static const char *const good[] = { "main", "v1.0..HEAD", "a b", "feature/x",
					    "\xc3\xa9" };
	static const char *const bad[] = { "",     "-x",   "--upload-pack=touch x",
					   "a\nb", "a\tb", "\x7f" };

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
		assert_int_equal(git_check_value("range", good[i], &(struct err){ 0 }),
				 0);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_int_equal(git_check_value("range", bad[i], &(struct err){ 0 }),
				 -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_remotes),
		cmocka_unit_test(test_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
