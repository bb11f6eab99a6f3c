/* agent: a command-line agent does something (agent/cli_run.h), or a bot answers a
 * prompt: what it says and does is a model's conversation, see model/bot_talk.h. */
#include <stdlib.h>

#include "actions/actions.h"
#include "actions/answer.h"
#include "agent/cli_run.h"
#include "base/xalloc.h"
#include "engine/action_fields.h"
#include "engine/bot_read.h"
#include "model/bot_talk.h"
#include "store/bots.h"

struct agent_step {
	struct attempt *attempt;
	struct cli_run *run;   /* of a command-line agent, which answers itself */
	struct bot_talk *talk; /* NULL: the bot is still looked for */
	bool answered;
};

static void
on_answered(void *context, const struct bot_answer *answer)
{
	struct agent_step *agent = context;
	struct json *output;
	char id[UUID_TEXT];

	agent->answered = true;
	if (answer->text == NULL) {
		attempt_succeed(agent->attempt, json_ref(answer->output));
		return;
	}
	output = json_new_object();
	json_set(output, "text", json_new_str(answer->text));
	if (!uuid_is_nil(&answer->session))
		json_set(output, "sessionId",
			 json_new_str(uuid_format(&answer->session, id)));
	json_set(output, "exitCode", json_new_int(0));
	json_set(output, "usage", json_ref(answer->usage));
	attempt_succeed(agent->attempt, output);
}

static void
on_found(void *context, const struct bot_row *bot, const struct err *err)
{
	struct agent_step *agent = context;
	struct attempt *attempt = agent->attempt;
	const char *slug = field_text(attempt, "bot", "");

	if (bot == NULL) {
		agent->answered = true;
		if (err->kind != ERR_NONE)
			answer_error(attempt, NULL, err);
		else
			attempt_fail(attempt, "no_bot", true,
				     "there is no bot \"%.100s\" for this run", slug);
		return;
	}
	agent->talk = bot_talk_new(attempt,
				   &(struct bot_question){
				       .bot = bot,
				       .slug = slug,
				       .prompt = field_text(attempt, "prompt", ""),
				       .fields = attempt->fields,
				   },
				   true, on_answered, agent);
}

static bool
start(struct agent_step *agent)
{
	struct attempt *attempt = agent->attempt;

	if (json_get(attempt->fields, "cli") != NULL) {
		agent->run = cli_run_new(attempt);
		return agent->run != NULL;
	}
	if (!answer_checked(attempt, NULL, action_fields[ACTION_AGENT].fields))
		return false;
	bots_find(attempt->services->pg, &attempt->run, field_text(attempt, "bot", ""),
		  on_found, agent);
	return true;
}

static void *
agent_start(struct attempt *attempt)
{
	struct agent_step *agent = xcalloc(1, sizeof *agent);

	agent->attempt = attempt;
	if (start(agent))
		return agent;
	free(agent);
	return NULL;
}

static void
agent_stop(void *state, enum stop how)
{
	struct agent_step *agent = state;

	if (agent->run != NULL) {
		cli_run_stop(agent->run, how);
		return;
	}
	if (agent->answered || bot_talk_stop(agent->talk, how) || agent->talk != NULL)
		return;
	agent->answered = true;
	pg_forget(agent->attempt->services->pg, agent);
	attempt_fail(agent->attempt, "stopped", false, "told to stop");
}

static void
agent_free(void *state)
{
	struct agent_step *agent = state;

	pg_forget(agent->attempt->services->pg, agent);
	bot_talk_free(&agent->talk);
	cli_run_free(&agent->run);
	free(agent);
}

const struct action action_agent = {
	.name = "agent",
	.start = agent_start,
	.stop = agent_stop,
	.free = agent_free,
};
