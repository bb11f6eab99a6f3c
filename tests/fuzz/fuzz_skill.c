/*
 * SKILL.md with anything in it: it ends soon, and either gives a skill that can be used
 * or says what is wrong. The prompt is then made for an input.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "conf/yaml.h"
#include "engine/skill_read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void
check_prompt(const struct skill *skill)
{
	static const char text[] = "{\"who\": \"Ada\", \"list\": [1, {\"a\": null}]}";
	struct json *input = NULL;
	struct buf prompt = { 0 };
	struct err err = { 0 };

	if (json_parse(text, strlen(text), &input, &err) < 0)
		abort();
	if (skill_prompt(skill, input, &prompt, &err) < 0 && err.kind == ERR_NONE)
		abort();
	buf_fini(&prompt);
	json_unref(&input);
}

static void
check_skill(const struct skill *skill)
{
	if (skill->description == NULL || skill->runtime >= SKILL_RUNTIMES)
		abort();
	if ((skill->runtime == SKILL_PROMPT) != (skill->prompt != NULL))
		abort();
	if (skill->runtime == SKILL_COMMAND &&
	    (json_count(skill->command) == 0 ||
	     json_count(skill->command) > SKILL_WORDS_MAX))
		abort();
	if (skill->prompt != NULL)
		check_prompt(skill);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct problems problems = { 0 };
	struct skill skill;
	bool good =
	    skill_read("greet", (const char *)data, len, yaml_parse, &skill, &problems);

	if (good == (problems.count > 0))
		abort();
	if (good) {
		check_skill(&skill);
		skill_fini(&skill);
	}
	problems_fini(&problems);
	return 0;
}
