/* http: the fields as a request; what becomes of it is web.c's. Also http.request. */
#include "actions/actions.h"
#include "actions/answer.h"
#include "actions/web.h"
#include "engine/action_fields.h"
#include "tools/tools.h"

static void *
http_start(struct attempt *attempt)
{
	struct http_form form;
	struct err err = { 0 };

	if (!answer_allowed(attempt, "http.request") ||
	    !answer_checked(attempt, NULL, action_http_fields))
		return NULL;
	if (http_form_read(&form, attempt->fields, &err) < 0) {
		answer_error(attempt, NULL, &err);
		return NULL;
	}
	return web_start(attempt, &form);
}

const struct action action_http = {
	.name = "http",
	.start = http_start,
	.stop = web_stop,
	.free = web_free,
};

const struct action tool_http_request = {
	.name = "http.request",
	.start = http_start,
	.stop = web_stop,
	.free = web_free,
};
