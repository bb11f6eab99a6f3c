/* Calls that change a schedule or a heartbeat over HTTP: from the request to the
 * answer.
 */
#ifndef FRONT_API_SCHEDULE_CALLS_H
#define FRONT_API_SCHEDULE_CALLS_H

#include "front/route.h"
#include "front/schedule_edit.h"

/* What the request says of a change; sent: its body, borrowed, or NULL. */
struct schedule_call api_schedule_call(struct exchange *exchange,
				       const struct json *sent);
/* Answers with what became of it; context: the exchange. */
void api_schedule_edited(void *context, const struct schedule_edited *edited);
/* Reads the body, an object, and begins the change with it. */
typedef void schedule_begin_fn(const struct schedule_call *call,
			       schedule_edited_fn *done, void *context);
void api_schedule_edit(struct exchange *exchange, schedule_begin_fn *begin);

#endif
