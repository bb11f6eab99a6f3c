/* What goes with `cli`, and what with `bot`. See agent_read.h. */
#include "engine/agent_read.h"

#include <string.h>

#include "engine/model_read.h"

static const char *const of_bot[] = { "maxTokens", "maxToolRounds" };
static const char *const of_cli[] = { "workingDirectory", "permissions", "resume" };

bool
agent_model_is_good(const char *name)
{
	size_t len = strlen(name);

	for (const char *c = name; *c != '\0'; c++)
		if ((unsigned char)*c <= ' ' || *c == 0x7f)
			return false;
	return len > 0 && len <= AGENT_MODEL_MAX && name[0] != '-';
}

static void
refuse(struct reader *reader, const struct place *step_place, const char *const *names,
       size_t count, const char *whose)
{
	for (size_t i = 0; i < count; i++) {
		const struct place place = place_member(step_place, names[i]);

		if (place.doc != NULL)
			reader_problem(reader, &place, "\"%s\" is for \"%s\" only",
				       names[i], whose);
	}
}

static void
check_model(struct reader *reader, const struct place *step_place)
{
	const struct place place = place_member(step_place, "model");

	if (place.doc == NULL)
		return;
	if (place.doc->kind != DOC_SCALAR)
		reader_problem(reader, &place, "a command-line agent has one model");
	else if (strstr(place.doc->text, "{{") == NULL &&
		 !agent_model_is_good(place.doc->text))
		reader_problem(
		    reader, &place,
		    "\"%.100s\" is no name of a model: up to %d bytes without "
		    "spaces that do not begin with \"-\"",
		    place.doc->text, AGENT_MODEL_MAX);
}

void
agent_read_fields(struct reader *reader, const struct place *step_place)
{
	const struct place cli = place_member(step_place, "cli");

	if (cli.doc == NULL) {
		refuse(reader, step_place, of_cli, sizeof of_cli / sizeof of_cli[0],
		       "cli");
		model_read_names(reader, step_place);
		return;
	}
	refuse(reader, step_place, of_bot, sizeof of_bot / sizeof of_bot[0], "bot");
	check_model(reader, step_place);
}
