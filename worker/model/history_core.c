/* Messages -> turns. See history_core.h. */
#include "model/history_core.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

#define OPENING "(You write first.)"

static struct talk_turn *
last_turn(struct talk *talk, enum talk_role role)
{
	struct talk_turn *last =
	    talk->turns_count > 0 ? &talk->turns[talk->turns_count - 1] : NULL;

	return last != NULL && last->role == role ? last : NULL;
}

static void
join(struct talk_turn *turn, const char *text)
{
	char *joined = xprintf("%s\n\n%s", turn->text, text);

	free(turn->text);
	turn->text = joined;
}

void
history_ask(struct talk *talk, const char *text)
{
	struct talk_turn *last = last_turn(talk, TALK_USER);

	if (last != NULL)
		join(last, text);
	else
		talk_ask(talk, text);
}

static void
add_answer(struct talk *talk, const char *text)
{
	struct talk_turn *last = last_turn(talk, TALK_MODEL);

	if (talk->turns_count == 0)
		talk_ask(talk, OPENING);
	if (last != NULL)
		join(last, text);
	else
		talk_answered(talk, text);
}

void
history_tell(struct talk *talk, const struct json *history, const char *self)
{
	for (size_t i = 0; i < json_count(history); i++) {
		const struct json *message = json_at(history, i);
		const char *from = json_str(json_get(message, "from"));
		const char *body = json_str(json_get(message, "body"));

		if (body == NULL || *body == '\0')
			continue;
		if (from != NULL && strcmp(from, self) == 0)
			add_answer(talk, body);
		else
			history_ask(talk, body);
	}
}
