/*
 * The tools of MCP servers that a model is offered: which of them its step's list
 * means. They are known once their servers were asked, which takes a while.
 */
#ifndef MODEL_OFFERS_H
#define MODEL_OFFERS_H

#include "actions/action.h"
#include "model/talk_core.h"

struct mcp_answer; /* worker/mcp/mcp.h */
struct offers;

/* failure: NULL when all servers that were asked have told their tools. Never called
 * from inside offers_new. */
typedef void offers_fn(void *context, const struct mcp_answer *failure);

/* NULL: no server has to be asked. tools: the step's field, a name, a list, or NULL. */
struct offers *offers_new(struct attempt *attempt, const struct json *tools,
			  offers_fn *done, void *context);
void offers_free(struct offers **offers_p); /* done will not come */

/* Offers what the list (of names and patterns) means and the run may use. */
void offers_put(struct talk *talk, const struct attempt *attempt,
		const struct json *list);
/* Is there a tool of that name, as far as its server has told? False: the attempt has
 * failed. */
bool offers_check(struct attempt *attempt, const char *name);

#endif
