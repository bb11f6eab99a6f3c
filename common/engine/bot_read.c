/* Names of bots and channels in a step. See bot_read.h. */
#include "engine/bot_read.h"

#include <string.h>

#define SLUG_FIRST "abcdefghijklmnopqrstuvwxyz0123456789"
#define CHANNEL_CHARACTERS                                                             \
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"

bool
bot_is_slug(const char *text)
{
	return reader_matches(text, SLUG_FIRST, SLUG_FIRST "-") &&
	       strlen(text) <= BOT_SLUG_MAX;
}

bool
bot_is_channel(const char *text)
{
	return reader_matches(text, CHANNEL_CHARACTERS, CHANNEL_CHARACTERS) &&
	       strlen(text) <= CHANNEL_NAME_MAX;
}

static bool
is_plain(const struct place *place)
{
	return place->doc != NULL && place->doc->kind == DOC_SCALAR &&
	       strstr(place->doc->text, "{{") == NULL;
}

static void
check_slug(struct reader *reader, const struct place *place)
{
	if (is_plain(place) && !bot_is_slug(place->doc->text))
		reader_problem(reader, place,
			       "\"%.100s\" is no bot: expected small letters, digits "
			       "and -, at most %d",
			       place->doc->text, BOT_SLUG_MAX);
}

static void
check_channel(struct reader *reader, const struct place *place)
{
	if (is_plain(place) && !bot_is_channel(place->doc->text))
		reader_problem(reader, place,
			       "\"%.100s\" is no channel: expected letters, digits, "
			       "\".\", _ and -, at most %d",
			       place->doc->text, CHANNEL_NAME_MAX);
}

static void
check_message(struct reader *reader, const struct place *step_place)
{
	const struct place from = place_member(step_place, "from");
	const struct place to = place_member(step_place, "to");
	const struct place channel = place_member(step_place, "channel");
	const struct place wait = place_member(step_place, "wait");

	check_slug(reader, &from);
	check_slug(reader, &to);
	check_channel(reader, &channel);
	if (is_plain(&from) && is_plain(&to) &&
	    strcmp(from.doc->text, to.doc->text) == 0)
		reader_problem(reader, &to, "a bot does not write to itself");
	if (channel.doc != NULL && is_plain(&wait) &&
	    strcmp(wait.doc->text, "true") == 0)
		reader_problem(reader, &wait, "nobody answers in a channel");
}

void
bot_read_names(struct reader *reader, const struct place *step_place,
	       enum action_kind action)
{
	const struct place bot = place_member(step_place, "bot");

	if (action == ACTION_AGENT)
		check_slug(reader, &bot);
	else
		check_message(reader, step_place);
}
