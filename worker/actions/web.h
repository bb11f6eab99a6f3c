/*
 * One HTTP request of a step, from the form to the answer: {status, headers, body}, the
 * body parsed when it is JSON. A status of 400 and above is a failure that keeps its
 * output. The functions are those of a struct action.
 */
#ifndef ACTIONS_WEB_H
#define ACTIONS_WEB_H

#include "actions/action.h"
#include "actions/http_form_core.h"

/* Takes the form's contents. NULL: the attempt has failed. */
void *web_start(struct attempt *attempt, struct http_form *form);
void web_stop(void *state, enum stop how);
void web_free(void *state);

/* Headers that go with every request on behalf of a step: Idempotency-Key, traceparent,
 * User-Agent. */
int web_add_headers(struct http_form *form, const struct attempt *attempt,
		    struct err *err);
/* May be tried again: not for what the request itself is to blame for. */
bool web_status_is_final(int status);

#endif
