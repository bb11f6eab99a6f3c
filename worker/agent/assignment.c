/* Fields -> an assignment. See assignment.h. */
#include "agent/assignment.h"

#include <stdlib.h>
#include <string.h>

#include "actions/answer.h"
#include "agent/prompt_core.h"
#include "base/xalloc.h"
#include "engine/action_fields.h"
#include "engine/agent_read.h"

static void
list_names(const struct agents *agents, struct buf *out)
{
	for (size_t i = 0; i < agents->count; i++)
		buf_printf(out, "%s%s", i > 0 ? ", " : "", agents->list[i].name);
}

static bool
find_agent(struct assignment *assignment, struct attempt *attempt)
{
	const struct agents *agents = &attempt->services->settings->agents;
	const char *name = field_text(attempt, "cli", "");
	char *tool = xprintf("agent.%.100s", name);
	bool allowed = answer_allowed(attempt, tool);
	struct buf names = { 0 };

	free(tool);
	if (!allowed)
		return false;
	assignment->agent = agent_find(agents, name);
	if (assignment->agent != NULL)
		return true;
	list_names(agents, &names);
	attempt_fail(attempt, "unknown_agent", true,
		     "cli: the configuration has no agent \"%.100s\"; it has %s", name,
		     buf_text(&names));
	buf_fini(&names);
	return false;
}

static bool
read_model(struct assignment *assignment, struct attempt *attempt)
{
	const struct json *model = json_get(attempt->fields, "model");

	if (json_type(model) == JSON_ARRAY && json_count(model) == 1)
		model = json_at(model, 0);
	assignment->model = json_str(model);
	if (model == NULL ||
	    (assignment->model != NULL && agent_model_is_good(assignment->model)))
		return true;
	attempt_fail(attempt, "input", true,
		     "model: expected one name, without spaces, that does not begin "
		     "with \"-\"");
	return false;
}

static bool
read_permissions(struct assignment *assignment, struct attempt *attempt)
{
	const struct agent *agent = assignment->agent;
	const char *name =
	    field_text(attempt, "permissions", agent->default_permissions);
	struct buf names = { 0 };

	if (name == NULL)
		return true;
	assignment->permissions = json_get(agent->permissions, name);
	if (assignment->permissions != NULL)
		return true;
	for (struct json_iter it = json_iter(agent->permissions); json_next(&it);)
		buf_printf(&names, "%s%s", names.len > 0 ? ", " : "", it.key);
	attempt_fail(attempt, "input", true,
		     "permissions: %s has no \"%.100s\"; it has %s", agent->name, name,
		     names.len > 0 ? buf_text(&names) : "none at all");
	buf_fini(&names);
	return false;
}

bool
assignment_rate(const struct assignment *assignment, const char *model,
		struct rate *rate)
{
	const struct agent *agent = assignment->agent;
	const struct price *price =
	    model != NULL ? price_find(agent->prices, agent->prices_count, model)
			  : NULL;

	if (price == NULL)
		return false;
	*rate = (struct rate){
		.input = price->input,
		.output = price->output,
		.cache_read = price->cache_read < 0 ? price->input : price->cache_read,
	};
	return true;
}

/* Without a price a limit in dollars would be none. */
static bool
check_prices(const struct assignment *assignment, struct attempt *attempt)
{
	struct rate rate;

	if ((assignment->budget.usd <= 0 && assignment->run_budget.usd <= 0) ||
	    assignment->agent->tells_cost ||
	    assignment_rate(assignment, assignment->model, &rate))
		return true;
	attempt_fail(
	    attempt, "no_price", true,
	    "budget: usd: %s does not tell what it costs, and the configuration "
	    "has no price of its model",
	    assignment->agent->name);
	return false;
}

static void
read_prompt(struct assignment *assignment, const struct attempt *attempt)
{
	const struct json *prompt = json_get(attempt->fields, "prompt");
	const struct json *schema = attempt->def->output_schema;

	prompt_ask(json_str(prompt), json_str_len(prompt), schema, &assignment->prompt);
	if (schema != NULL)
		assignment->schema = json_text(schema);
}

bool
assignment_read(struct assignment *assignment, struct attempt *attempt)
{
	*assignment = (struct assignment){ 0 };
	if (!answer_checked(attempt, NULL, action_fields[ACTION_AGENT].fields) ||
	    !find_agent(assignment, attempt) || !read_model(assignment, attempt) ||
	    !read_permissions(assignment, attempt))
		return false;
	assignment->resume = field_text(attempt, "resume", NULL);
	assignment->budget = model_budget(json_get(attempt->fields, "budget"));
	assignment->run_budget = attempt->run_values->workflow->budget;
	if (!check_prices(assignment, attempt))
		return false;
	read_prompt(assignment, attempt);
	return true;
}

void
assignment_fini(struct assignment *assignment)
{
	buf_fini(&assignment->prompt);
	free(assignment->schema);
	*assignment = (struct assignment){ 0 };
}
