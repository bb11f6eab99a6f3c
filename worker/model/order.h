/*
 * What a model step orders, from its resolved fields: which models, the conversation
 * with its first question and its tools, the limits. A mistake is a failure of the step
 * before anything was asked. The tools of MCP servers must have been heard before
 * (model/offers.h).
 */
#ifndef MODEL_ORDER_H
#define MODEL_ORDER_H

#include "actions/action.h"
#include "model/choice_core.h"
#include "model/talk_core.h"
#include "model/usage_core.h"

struct ordered_model {
	char *name;        /* "anthropic:claude-..." */
	const char *model; /* the part behind the colon */
	const struct provider *provider;
};

struct order {
	struct ordered_model *models; /* choices.list goes with it */
	struct choices choices;
	struct talk talk;
	struct budget budget, run_budget;
	int max_rounds; /* of tools */
};

/* False: the attempt has failed. order_fini in any case. */
bool order_read(struct order *order, struct attempt *attempt);
void order_fini(struct order *order);

/* Of the model that is asked now. */
const struct ordered_model *order_current(const struct order *order);
/* Its price; false when it has none. */
bool order_rate(const struct ordered_model *model, struct rate *rate);

#endif
