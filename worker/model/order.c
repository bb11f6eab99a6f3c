/* Fields -> an order. See order.h. */
#include "model/order.h"

#include <stdlib.h>
#include <string.h>

#include "actions/answer.h"
#include "base/xalloc.h"
#include "engine/action_fields.h"
#include "engine/field_schema.h"
#include "engine/mcp_names.h"
#include "engine/tool_names.h"
#include "model/answer_core.h"
#include "model/as_bot.h"
#include "model/history_core.h"
#include "model/offers.h"

const struct ordered_model *
order_current(const struct order *order)
{
	return &order->models[order->choices.current];
}

bool
order_rate(const struct ordered_model *model, struct rate *rate)
{
	const struct price *price = provider_price(model->provider, model->model);

	if (price == NULL)
		return false;
	*rate = (struct rate){
		.input = price->input,
		.output = price->output,
		.cache_read = price->cache_read < 0 ? price->input : price->cache_read,
	};
	return true;
}

/* ---- models ---- */

static bool
add_model(struct order *order, struct attempt *attempt, const char *name)
{
	const struct settings *settings = attempt->services->settings;
	size_t len = model_name_provider(name);
	const struct provider *provider =
	    provider_find(&settings->providers, name, len);
	struct ordered_model *model = &order->models[order->choices.count];

	if (len == 0) {
		attempt_fail(attempt, "input", true,
			     "model: \"%.100s\" is not provider:model", name);
		return false;
	}
	if (provider == NULL) {
		attempt_fail(
		    attempt, "unknown_provider", true,
		    "model: there is no provider \"%.*s\" in the configuration",
		    (int)len, name);
		return false;
	}
	model->name = xstrdup(name);
	model->model = model->name + len + 1;
	model->provider = provider;
	order->choices.count++;
	return true;
}

static bool
read_models(struct order *order, struct attempt *attempt)
{
	const struct json *field = json_get(attempt->fields, "model");
	const char *preset = attempt->services->settings->default_model;
	size_t count = json_type(field) == JSON_ARRAY ? json_count(field) : 1;
	bool good = true;

	if (count == 0 || count > MODEL_LIST_MAX) {
		attempt_fail(attempt, "input", true, "model: expected 1 to %d of them",
			     MODEL_LIST_MAX);
		return false;
	}
	order->models = xcalloc(count, sizeof *order->models);
	order->choices.list = xcalloc(count, sizeof *order->choices.list);
	if (json_type(field) != JSON_ARRAY)
		return add_model(order, attempt,
				 field != NULL ? json_str(field) : preset);
	for (size_t i = 0; i < count && good; i++)
		good = add_model(order, attempt, json_str(json_at(field, i)));
	return good;
}

/* ---- tools ---- */

/* Those that the run may not use are not offered: what is named by a pattern may be
 * more than that. */
static void
offer_all(struct order *order, const struct attempt *attempt, const struct json *list)
{
	for (const struct tool_name *tool = tool_names; tool->name != NULL; tool++)
		if (tool_names_allow(list, tool->name) &&
		    tool_names_allow(attempt->tools, tool->name))
			talk_offer(&order->talk, tool->name, tool->help,
				   field_schema(tool->args));
}

/* One that is named without a pattern has to be there, and allowed. */
static bool
check_tool(struct attempt *attempt, const char *name)
{
	const char *nearest;

	if (mcp_name_is(name))
		return offers_check(attempt, name);
	if (strchr(name, '*') != NULL)
		return true;
	if (tool_names_find(name) != NULL)
		return answer_allowed(attempt, name);
	nearest = tool_names_nearest(name);
	attempt_fail(attempt, "unknown_tool", true,
		     "tools: there is no tool \"%.100s\"%s%s%s", name,
		     nearest != NULL ? "; did you mean \"" : "",
		     nearest != NULL ? nearest : "", nearest != NULL ? "\"?" : "");
	return false;
}

static bool
read_tools(struct order *order, struct attempt *attempt)
{
	const struct json *field = json_get(attempt->fields, "tools");
	struct json *list = json_new_array();
	bool good = true;

	if (json_type(field) == JSON_STRING)
		json_append(list, json_ref(json_get(attempt->fields, "tools")));
	for (size_t i = 0; json_type(field) == JSON_ARRAY && i < json_count(field); i++)
		json_append(list, json_ref(json_at(field, i)));
	for (size_t i = 0; i < json_count(list) && good; i++)
		good = check_tool(attempt, json_str(json_at(list, i)));
	if (good) {
		offer_all(order, attempt, list);
		offers_put(&order->talk, attempt, list);
	}
	json_unref(&list);
	return good;
}

/* ---- the rest ---- */

static long
field_count(const struct attempt *attempt, const char *name, long preset)
{
	const struct json *value = json_get(attempt->fields, name);

	return value != NULL ? (long)json_int(value) : preset;
}

static void
read_talk(struct order *order, const struct attempt *attempt)
{
	const struct json *temperature = json_get(attempt->fields, "temperature");
	struct talk *talk = &order->talk;
	struct buf system = { 0 };

	buf_str(&system, field_text(attempt, "system", ""));
	talk->schema = attempt->def->output_schema;
	if (talk->schema != NULL)
		answer_rule(talk->schema, &system);
	if (system.len > 0)
		talk->system = buf_take(&system);
	buf_fini(&system);
	talk->max_tokens = field_count(attempt, "maxTokens", MODEL_TOKENS);
	talk->has_temperature = temperature != NULL;
	talk->temperature = json_double(temperature);
	if (attempt->as_bot != NULL)
		history_tell(talk, attempt->as_bot->history, attempt->as_bot->slug);
	history_ask(talk, field_text(attempt, "prompt", ""));
	order->max_rounds = (int)field_count(attempt, "maxToolRounds", MODEL_ROUNDS);
}

/* Without a price a limit in dollars would be none. */
static bool
check_prices(const struct order *order, struct attempt *attempt)
{
	struct rate rate;

	if (order->budget.usd <= 0 && order->run_budget.usd <= 0)
		return true;
	for (size_t i = 0; i < order->choices.count; i++) {
		if (order_rate(&order->models[i], &rate))
			continue;
		attempt_fail(attempt, "no_price", true,
			     "budget: usd: the configuration has no price of \"%s\"",
			     order->models[i].name);
		return false;
	}
	return true;
}

bool
order_read(struct order *order, struct attempt *attempt)
{
	*order = (struct order){ 0 };
	if (!answer_checked(attempt, NULL, action_fields[ACTION_MODEL].fields) ||
	    !read_models(order, attempt) || !read_tools(order, attempt))
		return false;
	order->budget = model_budget(json_get(attempt->fields, "budget"));
	order->run_budget = attempt->run_values->workflow->budget;
	if (!check_prices(order, attempt))
		return false;
	read_talk(order, attempt);
	return true;
}

void
order_fini(struct order *order)
{
	for (size_t i = 0; i < order->choices.count; i++)
		free(order->models[i].name);
	free(order->models);
	free(order->choices.list);
	talk_fini(&order->talk);
	*order = (struct order){ 0 };
}
