/* Finding, reading and checking a skill. See skill_use.h. */
#include "actions/skill_use.h"

#include <stdlib.h>
#include <string.h>

#include "actions/answer.h"
#include "base/xalloc.h"
#include "conf/yaml.h"
#include "step_log.h"

#define WHY_MAX 3000 /* bytes of all problems together */

/* All that is wrong, in one text. */
static void
join(const struct problems *problems, struct buf *out)
{
	for (size_t i = 0; i < problems->count && out->len < WHY_MAX; i++) {
		char *line = problem_text(problems, i);

		buf_printf(out, "%s%s", i > 0 ? "; " : "", line);
		free(line);
	}
}

/* ---- the file ---- */

static bool
read_text(struct skill_use *use, struct attempt *attempt, const char *name,
	  const struct buf *text)
{
	struct problems problems = { 0 };
	struct buf why = { 0 };
	bool good;

	problems.file = xprintf("%s/SKILL.md", use->path);
	good = skill_read(name, buf_text(text), text->len, yaml_parse, &use->skill,
			  &problems);
	if (!good) {
		join(&problems, &why);
		attempt_fail(attempt, "bad_skill", true, "skill \"%s\": %s", name,
			     buf_text(&why));
	}
	buf_fini(&why);
	problems_fini(&problems);
	return good;
}

static bool
find(struct skill_use *use, struct attempt *attempt, const char *name)
{
	struct buf text = { 0 };
	struct err err = { 0 };
	bool good = false;

	if (!skill_name_is_good(name)) {
		attempt_fail(attempt, "input", true,
			     "skill: \"%.100s\" is no name of a skill", name);
		return false;
	}
	if (skill_files_find(&use->places, name, SKILL_BYTES_MAX, &use->place, &text,
			     &use->path, &err) == 0)
		good = read_text(use, attempt, name, &text);
	else if (err.kind == ERR_NOT_FOUND)
		attempt_fail(attempt, "unknown_skill", true, "%s", err.text);
	else
		answer_error(attempt, name, &err);
	buf_fini(&text);
	return good;
}

/* ---- what goes in and comes out ---- */

static bool
check_input(const struct skill_use *use, struct attempt *attempt)
{
	struct problems problems = { 0 };
	struct buf why = { 0 };
	bool good =
	    use->skill.input_rules == NULL ||
	    schema_check(use->skill.input_rules, use->input, "input", &problems);

	if (!good) {
		join(&problems, &why);
		attempt_fail(attempt, "input", true, "skill \"%s\": %s",
			     use->skill.name, buf_text(&why));
	}
	buf_fini(&why);
	problems_fini(&problems);
	return good;
}

bool
skill_use_fits(const struct skill_use *use, struct attempt *attempt,
	       struct json *output)
{
	struct problems problems = { 0 };
	struct buf why = { 0 };
	bool good = use->skill.output_rules == NULL ||
		    schema_check(use->skill.output_rules, output, "output", &problems);

	if (!good) {
		join(&problems, &why);
		attempt_fail_with(attempt, "output_schema", false, NULL, output,
				  "skill \"%s\": %s", use->skill.name, buf_text(&why));
	}
	buf_fini(&why);
	problems_fini(&problems);
	return good;
}

/* Whether the run may use it is asked before anything is told of it. */
static bool
may_use(struct attempt *attempt, const char *name)
{
	char *tool = xprintf("skill.%.100s", name);
	bool allowed = answer_allowed(attempt, tool);

	free(tool);
	return allowed;
}

bool
skill_use_begin(struct skill_use *use, struct attempt *attempt)
{
	const struct settings *settings = attempt->services->settings;
	struct json *input = json_get(attempt->fields, "input");
	const char *name = field_text(attempt, "skill", "");

	*use = (struct skill_use){
		.places = { attempt->project_path, settings->skill_paths.list,
			    settings->skill_paths.count },
		.input = input != NULL ? json_ref(input) : json_new_object(),
	};
	if (!may_use(attempt, name) || !find(use, attempt, name) ||
	    !check_input(use, attempt))
		return false;
	step_log_printf(attempt->log, STEP_INFO, "uses the skill %s of %s", name,
			use->path);
	return true;
}

void
skill_use_fini(struct skill_use *use)
{
	skill_fini(&use->skill);
	free(use->path);
	json_unref(&use->input);
	*use = (struct skill_use){ 0 };
}
