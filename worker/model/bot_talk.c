/* An attempt of a model inside a step's. See bot_talk.h. */
#include "model/bot_talk.h"

#include <stdlib.h>
#include <string.h>

#include "actions/actions.h"
#include "base/list.h"
#include "base/xalloc.h"
#include "engine/tool_names.h"
#include "model/as_bot.h"

struct bot_talk {
	struct attempt *outer;
	struct attempt inner;
	struct step_def def; /* the step's, perhaps without its schema */
	struct as_bot as_bot;
	struct uuid peer;
	char *slug;
	struct json *fields, *history;
	const struct action *action; /* model, or skill */
	void *state;                 /* of it, or NULL */
	bool ended;
	bot_answered_fn *done;
	void *context;
};

void
as_bot_told(struct as_bot *as_bot, const struct uuid *session,
	    const struct usage_sum *used)
{
	as_bot->session = *session;
	json_unref(&as_bot->usage);
	as_bot->usage = usage_json(used);
}

/* ---- the answer ---- */

/* What a skill gave, as words: a text, the text in {"text": ...}, else JSON. */
static struct json *
words_of(struct json *output)
{
	const struct json *text = json_get(output, "text");
	struct json *words;
	char *json;

	if (json_type(output) == JSON_STRING)
		return output;
	if (json_type(text) == JSON_STRING) {
		words = json_new_str_len(json_str(text), json_str_len(text));
	} else {
		json = json_text(output);
		words = json_new_str(json);
		free(json);
	}
	json_unref(&output);
	return words;
}

static void
on_success(struct attempt *inner, struct json *output)
{
	struct bot_talk *talk = container_of(inner, struct bot_talk, inner);
	bool is_text = talk->def.output_schema == NULL;
	struct json *given = is_text ? words_of(output) : output;
	const struct bot_answer answer = {
		.text = is_text ? json_str(given) : NULL,
		.output = given,
		.usage = talk->as_bot.usage,
		.session = talk->as_bot.session,
	};

	talk->ended = true;
	talk->done(talk->context, &answer);
	json_unref(&given);
}

static void
on_failure(struct attempt *inner, const struct attempt_failure *failure)
{
	struct bot_talk *talk = container_of(inner, struct bot_talk, inner);

	talk->ended = true;
	attempt_fail_until(talk->outer, failure);
}

static const struct attempt_maker maker = {
	.succeeded = on_success,
	.failed = on_failure,
};

/* ---- what the model is given ---- */

/* The run's rights are the limit: a bot has of its tools what the run may use. */
static struct json *
tools_of(const struct bot_row *bot, const struct json *allowed)
{
	struct json *tools = json_new_array();

	for (size_t i = 0; i < json_count(bot->tools); i++) {
		const char *name = json_str(json_at(bot->tools, i));

		if (name != NULL &&
		    (strchr(name, '*') != NULL || tool_names_allow(allowed, name)))
			json_append(tools, json_new_str(name));
	}
	return tools;
}

static char *
system_of(const struct bot_question *question)
{
	struct buf text = { 0 };

	buf_str(&text, question->bot->system);
	if (question->peer_slug != NULL)
		buf_printf(&text, "%sYou are talking with the bot \"%s\".",
			   text.len > 0 ? "\n\n" : "", question->peer_slug);
	return buf_take(&text);
}

static struct json *
fields_of(const struct attempt *attempt, const struct bot_question *question)
{
	static const char *const own[] = { "model", "maxTokens", "maxToolRounds",
					   "budget" };
	struct json *fields = json_new_object();
	char *system = system_of(question);

	json_set(fields, "prompt", json_new_str(question->prompt));
	if (system != NULL && *system != '\0')
		json_set(fields, "system", json_new_str(system));
	if (question->bot->model != NULL)
		json_set(fields, "model", json_new_str(question->bot->model));
	json_set(fields, "tools", tools_of(question->bot, attempt->tools));
	for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
		if (json_get(question->fields, own[i]) != NULL)
			json_set(fields, own[i],
				 json_ref(json_get(question->fields, own[i])));
	free(system);
	return fields;
}

/* A skill that answers for the bot is told what a model would be. */
static struct json *
handler_fields(const struct bot_question *question)
{
	struct json *fields = json_new_object(), *input = json_new_object();

	json_set(input, "prompt", json_new_str(question->prompt));
	json_set(input, "bot", json_new_str(question->slug));
	json_set(input, "systemPrompt", json_new_str(question->bot->system));
	if (question->peer_slug != NULL)
		json_set(input, "from", json_new_str(question->peer_slug));
	json_set(input, "history",
		 question->history != NULL ? json_ref(question->history)
					   : json_new_array());
	json_set(fields, "skill", json_new_str(question->bot->handler));
	json_set(fields, "input", input);
	return fields;
}

static void
fill_inner(struct bot_talk *talk, const struct bot_question *question, bool with_schema)
{
	talk->def = *talk->outer->def;
	if (!with_schema) {
		talk->def.output_schema = NULL;
		talk->def.output_rules = NULL;
	}
	talk->as_bot = (struct as_bot){
		.slug = talk->slug,
		.bot = question->bot->id,
		.peer = question->peer != NULL ? &talk->peer : NULL,
		.history = talk->history,
	};
	talk->inner = *talk->outer;
	talk->inner.maker = &maker;
	talk->inner.def = &talk->def;
	talk->inner.fields = talk->fields;
	talk->inner.as_bot = &talk->as_bot;
}

struct bot_talk *
bot_talk_new(struct attempt *attempt, const struct bot_question *question,
	     bool with_schema, bot_answered_fn *done, void *context)
{
	struct bot_talk *talk = xcalloc(1, sizeof *talk);

	talk->outer = attempt;
	talk->done = done;
	talk->context = context;
	talk->slug = xstrdup(question->slug);
	talk->history = json_ref(question->history);
	talk->action = question->bot->handler != NULL ? &action_skill : &action_model;
	talk->fields = question->bot->handler != NULL ? handler_fields(question)
						      : fields_of(attempt, question);
	if (question->peer != NULL)
		talk->peer = *question->peer;
	fill_inner(talk, question, with_schema);
	talk->state = talk->action->start(&talk->inner);
	return talk;
}

bool
bot_talk_stop(struct bot_talk *talk, enum stop how)
{
	if (talk == NULL || talk->ended || talk->state == NULL)
		return false;
	talk->action->stop(talk->state, how);
	return true;
}

void
bot_talk_free(struct bot_talk **talk_p)
{
	struct bot_talk *talk = *talk_p;

	*talk_p = NULL;
	if (talk == NULL)
		return;
	if (talk->state != NULL)
		talk->action->free(talk->state);
	json_unref(&talk->fields);
	json_unref(&talk->history);
	json_unref(&talk->as_bot.usage);
	free(talk->slug);
	free(talk);
}
