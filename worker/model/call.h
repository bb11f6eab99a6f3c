/*
 * One call to a provider: the conversation goes out, the stream of the answer is taken
 * in. A call whose stream did not come to its end has failed, whatever came before.
 */
#ifndef MODEL_CALL_H
#define MODEL_CALL_H

#include "actions/action.h"
#include "model/heard_core.h"
#include "model/talk_core.h"

struct model_call;

/* reply: what came, also of a call in trouble (reply->trouble). Borrowed. */
typedef void model_done_fn(void *context, const struct heard *reply);

/* Everything is borrowed until done was called, which is never from inside. number: of
 * the call inside the step, which makes its idempotency key. */
struct model_call *model_call_new(struct attempt *attempt,
				  const struct provider *provider, const char *model,
				  const struct talk *talk, int number,
				  model_done_fn *done, void *context);
void model_call_free(struct model_call **call_p); /* done will not come */

#endif
