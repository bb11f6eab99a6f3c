/*
 * The tables of tools and actions: that they are well-formed, hold every name of the
 * format, and that docs/workflow-format.md says what they say.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "engine/action_fields.h"
#include "engine/tool_names.h"
#include "text_file.h"

/* As the format lists them. */
static const char *const names[] = {
	"shell",
	"http.request",
	"git.ensureBranch",
	"git.getCurrentBranch",
	"git.getCurrentCommit",
	"git.status",
	"git.stageAll",
	"git.commit",
	"git.push",
	"git.createPr",
	"git.log",
	"git.diff",
	"files.read",
	"files.write",
	"files.exists",
	"files.delete",
	"files.list",
	"files.copy",
	"json.merge",
	"json.pick",
	"notify.webhook",
	"state.set",
	"state.get",
	"state.has",
	"state.delete",
	"comment.add",
	"artifact.add",
};
#define NAMES (sizeof names / sizeof names[0])

static void
test_every_name(void **state)
{
	size_t count = 0;

	(void)state;
	for (size_t i = 0; i < NAMES; i++) {
		assert_non_null(tool_names_find(names[i]));
		assert_string_equal(tool_names_find(names[i])->name, names[i]);
	}
	while (tool_names[count].name != NULL)
		count++;
	assert_int_equal(count, NAMES);
	assert_null(tool_names_find("git"));
	assert_null(tool_names_find(""));
	assert_string_equal(tool_names_nearest("git.lag"), "git.log");
	assert_string_equal(tool_names_nearest("file.read"), "files.read");
	assert_null(tool_names_nearest("quite another"));
}

static void
check_table(const struct field *table)
{
	assert_non_null(table);
	for (const struct field *field = table; field->name != NULL; field++) {
		assert_ptr_equal(field_find(table, field->name), field);
		assert_true(field->type < FIELD_TYPES);
		assert_int_equal(field->type == FIELD_CHOICE, field->choices != NULL);
		if (!field->later)
			assert_non_null(field->help);
		if (field->members != NULL)
			check_table(field->members);
	}
}

static void
test_tables_are_well_formed(void **state)
{
	(void)state;
	for (const struct tool_name *tool = tool_names; tool->name != NULL; tool++) {
		check_table(tool->args);
		assert_non_null(tool->help);
		assert_non_null(tool->output);
	}
	for (int i = 0; i < ACTION_KINDS; i++) {
		check_table(action_fields[i].fields);
		assert_string_equal(action_name((enum action_kind)i),
				    action_fields[i].name);
		assert_int_equal(action_fields_find(action_fields[i].name), i);
	}
	assert_int_equal(action_fields_find("nothing"), ACTION_KINDS);
	assert_string_equal(action_name(ACTION_KINDS), "unknown");
}

/* ---- the page ---- */

static void
document(const char *name, const char *help, const char *output,
	 const struct field *fields, struct buf *out)
{
	buf_printf(out, "\n#### `%s`\n\n%c%s. Output: %s.\n", name, help[0] - 'a' + 'A',
		   help + 1, output);
	if (fields->name == NULL)
		return;
	buf_str(out, "\n| name | type | required | what; what holds without it |\n"
		     "|---|---|---|---|\n");
	field_document(fields, out);
}

static void
document_actions(struct buf *out)
{
	for (int i = 0; i < ACTION_KINDS; i++)
		document(action_fields[i].name, action_fields[i].help,
			 action_fields[i].output, action_fields[i].fields, out);
}

static void
document_tools(struct buf *out)
{
	for (const struct tool_name *tool = tool_names; tool->name != NULL; tool++)
		document(tool->name, tool->help, tool->output, tool->args, out);
}

static void
check_page(const char *name, void (*write)(struct buf *out))
{
	char *page = text_file_read(TESTS_DIR "/../docs/workflow-format.md", NULL);
	struct buf part = { 0 };

	assert_non_null(page);
	buf_printf(&part, "<!-- %s -->\n", name);
	write(&part);
	buf_printf(&part, "\n<!-- /%s -->\n", name);
	if (strstr(page, buf_text(&part)) == NULL) {
		fprintf(stderr, "%s", buf_text(&part));
		fail_msg("docs/workflow-format.md should hold the part above");
	}
	buf_fini(&part);
	free(page);
}

static void
test_the_page(void **state)
{
	(void)state;
	check_page("actions", document_actions);
	check_page("tools", document_tools);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_name),
		cmocka_unit_test(test_tables_are_well_formed),
		cmocka_unit_test(test_the_page),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
