/* The tables of commands and options are sound, and the man page says the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "cli/commands.h"
#include "cli/words.h"

/* ---- tables ---- */

static size_t
count_args(const struct arg *args)
{
	size_t count = 0;

	while (args[count].name != NULL)
		count++;
	return count;
}

static void
check_args(const struct arg *args)
{
	size_t count = count_args(args);

	assert_in_range(count, 1, ARGS_OPTIONS_MAX);
	for (size_t i = 0; i < count; i++) {
		assert_true(strlen(args[i].help) > 3);
		assert_true(args[i].help[strlen(args[i].help) - 1] != '.');
		for (size_t j = 0; j < i; j++) {
			assert_string_not_equal(args[i].name, args[j].name);
			assert_true(args[i].letter == 0 ||
				    args[i].letter != args[j].letter);
		}
	}
	assert_string_equal(args[count - 1].name, "help");
	assert_string_equal(args[count - 2].name, "json");
}

static void
test_every_table_is_sound(void **state)
{
	(void)state;
	for (const struct command *it = commands; it->name != NULL; it++) {
		assert_ptr_equal(command_find(it->name), it);
		assert_non_null(it->words);
		assert_true(strlen(it->help) > 10);
		assert_non_null(it->args);
		check_args(it->args);
	}
	assert_null(command_find("nothing"));
	assert_null(command_find(""));
}

/* ---- words that can be chosen ---- */

static void
test_words_to_choose_from(void **state)
{
	static const struct {
		const char *text, *found;
	} cases[] = {
		{ "create | list | revoke NAME", "create list revoke " },
		{ "[list | show NAME | register FILE...]", "list show register " },
		{ "high|normal|low", "high normal low " },
		{ "seq10 | single", "seq10 single " },
		{ "RUN...", "" },
		{ "N", "" },
		{ "", "" },
		{ NULL, "" },
		{ "abcdefghijklmnopqrstuvwxyz0123456789 b", "b " },
	};
	char word[WORDS_LEN_MAX];
	struct buf found = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		buf_clear(&found);
		for (struct words it = words_of(cases[i].text); words_next(&it, word);)
			buf_printf(&found, "%s ", word);
		assert_string_equal(buf_text(&found), cases[i].found);
		assert_int_equal(words_any(cases[i].text), *cases[i].found != '\0');
	}
	buf_fini(&found);
}

/* ---- the man page ---- */

static char *
read_page(void)
{
	FILE *file = fopen(TESTS_DIR "/../deploy/man/stepmill.1", "r");
	struct buf text = { 0 };
	size_t got;

	assert_non_null(file);
	do {
		got = fread(buf_reserve(&text, 4096), 1, 4096, file);
		buf_grow(&text, got);
	} while (got > 0);
	fclose(file);
	return buf_take(&text);
}

static void
put_escaped(struct buf *out, const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == '-')
			buf_char(out, '\\');
		buf_char(out, *text);
	}
}

static void
put_option(struct buf *out, const struct arg *arg)
{
	buf_str(out, "\n.B ");
	if (arg->letter != 0)
		buf_printf(out, "\\-%c, ", arg->letter);
	buf_str(out, "\\-\\-");
	put_escaped(out, arg->name);
	if (arg->value != NULL) {
		buf_char(out, ' ');
		put_escaped(out, arg->value);
	}
	buf_char(out, '\n');
}

static bool
is_common(const struct arg *arg)
{
	static const char *const names[] = { "url",    "key",  "database-url",
					     "config", "json", "help" };

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strcmp(names[i], arg->name) == 0)
			return true;
	return false;
}

static size_t
count_text(const char *text, const char *part)
{
	size_t count = 0;

	for (; (text = strstr(text, part)) != NULL; text++)
		count++;
	return count;
}

/* The section of a command: from its heading to the next heading. */
static char *
section_of(const char *page, const struct command *command)
{
	struct buf heading = { 0 };
	const char *start, *end, *next;

	buf_str(&heading, "\n.SS \"stepmill ");
	put_escaped(&heading, command->name);
	if (command->words[0] != '\0') {
		buf_char(&heading, ' ');
		put_escaped(&heading, command->words);
	}
	buf_str(&heading, "\"\n");
	start = strstr(page, buf_text(&heading));
	if (start == NULL)
		fail_msg("the man page has no heading %s", buf_text(&heading));
	buf_fini(&heading);
	start++;
	end = strstr(start, "\n.SS ");
	next = strstr(start, "\n.SH ");
	if (end == NULL || next < end)
		end = next;
	return strndup(start, (size_t)(end - start) + 1);
}

static void
check_section(const char *page, const struct command *command)
{
	char *section = section_of(page, command);
	struct buf option = { 0 };
	size_t own = 0;

	for (const struct arg *it = command->args; it->name != NULL; it++) {
		buf_clear(&option);
		put_option(&option, it);
		if (is_common(it)) {
			assert_non_null(strstr(page, buf_text(&option)));
			continue;
		}
		if (strstr(section, buf_text(&option)) == NULL)
			fail_msg("stepmill %s: the man page lacks%s", command->name,
				 buf_text(&option));
		own++;
	}
	if (count_text(section, "\n.TP\n") != own)
		fail_msg("stepmill %s: the man page has options that it does not have",
			 command->name);
	buf_fini(&option);
	free(section);
}

static void
test_the_man_page_has_the_same(void **state)
{
	char *page = read_page();
	size_t count = 0;

	(void)state;
	for (const struct command *it = commands; it->name != NULL; it++, count++)
		check_section(page, it);
	assert_int_equal(count_text(page, "\n.SS \"stepmill "), count);
	free(page);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_table_is_sound),
		cmocka_unit_test(test_words_to_choose_from),
		cmocka_unit_test(test_the_man_page_has_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
