/* What a bulk action is for. See bulk_read.h. */
#include "front/bulk_read.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "engine/status.h"
#include "front/api_body.h"
#include "zone/zone.h"

#define TEXT_MOST 200

/* What each action can be done to. */
static const struct {
	const char *name;
	size_t most;
	bool statuses[RUN_STATUSES];
} actions[BULK_ACTIONS] = {
	[BULK_CANCEL] = { "cancel",
			  BULK_CANCELS_MAX,
			  { [RUN_PENDING] = true,
			    [RUN_RUNNING] = true,
			    [RUN_PAUSED] = true } },
	[BULK_RETRY] = { "retry",
			 BULK_RETRIES_MAX,
			 { [RUN_FAILED] = true,
			   [RUN_CANCELLED] = true,
			   [RUN_TIMED_OUT] = true,
			   [RUN_CRASHED] = true } },
};

static int
refuse(struct exchange *exchange, const char *why)
{
	reply_problem(exchange, 400, NULL, "%s", why);
	return -1;
}

/* ---- by name ---- */

struct names {
	struct pg_args *args;
	const struct json *list;
};

static bool
is_uuid(const struct json *item, struct uuid *id)
{
	return uuid_parse(json_str(item), json_str_len(item), id);
}

static void
arg_ids(const struct names *names)
{
	struct uuid id;

	pg_array_begin(names->args, PG_UUID);
	for (size_t i = 0; i < json_count(names->list); i++)
		if (is_uuid(json_at(names->list, i), &id))
			pg_arg_uuid(names->args, &id);
	pg_array_end(names->args);
}

/* The number of "release-notes-42"; 0: this is no run's name. */
static long long
number_of(const char *text)
{
	const char *dash = strrchr(text, '-');
	char *end;
	long long number;

	if (dash == NULL || dash[1] < '1' || dash[1] > '9' || strlen(dash) > 19)
		return 0;
	number = strtoll(dash + 1, &end, 10);
	return *end == '\0' ? number : 0;
}

static void
arg_run_ids(const struct names *names)
{
	struct uuid id;

	pg_array_begin(names->args, PG_INT8);
	for (size_t i = 0; i < json_count(names->list); i++)
		if (!is_uuid(json_at(names->list, i), &id))
			pg_arg_int8(names->args,
				    number_of(json_str(json_at(names->list, i))));
	pg_array_end(names->args);
	pg_array_begin(names->args, PG_TEXT);
	for (size_t i = 0; i < json_count(names->list); i++)
		if (!is_uuid(json_at(names->list, i), &id))
			pg_arg_text(names->args, json_str(json_at(names->list, i)));
	pg_array_end(names->args);
}

static int
read_ids(struct exchange *exchange, const struct json *ids,
	 struct bulk_request *request)
{
	struct names names = { &request->args, ids };

	if (json_type(ids) != JSON_ARRAY || json_count(ids) == 0 ||
	    json_count(ids) > request->most) {
		reply_problem(exchange, 400, NULL, "ids: expected 1 to %zu of them",
			      request->most);
		return -1;
	}
	for (size_t i = 0; i < json_count(ids); i++) {
		const char *text = json_str(json_at(ids, i));

		if (text == NULL || strlen(text) != json_str_len(json_at(ids, i)) ||
		    strlen(text) > TEXT_MOST)
			return refuse(exchange, "ids: expected ids or run ids");
	}
	request->ids = json_count(ids);
	request->statement = "runs_named";
	arg_ids(&names);
	arg_run_ids(&names);
	api_arg_confined(exchange, &request->args);
	return 0;
}

/* ---- by filter ---- */

/* What somebody cancelled is retried only when that is asked for. */
static bool
is_wish(enum bulk_action action, int status)
{
	return action == BULK_RETRY && status == RUN_CANCELLED;
}

/* "failed,timed_out", of what the action can be done to; all of that without, but what
 * is_wish. */
static int
arg_statuses(struct exchange *exchange, const char *text, struct bulk_request *request)
{
	char *copy = xstrdup(text), *rest = copy, *word;
	bool wanted[RUN_STATUSES] = { 0 };
	enum run_status status;
	int result = 0;

	while (result == 0 && (word = strsep(&rest, ",")) != NULL)
		if (run_status_parse(word, &status))
			wanted[status] = true;
		else
			result = -1;
	free(copy);
	if (result < 0)
		return refuse(exchange, "filter.status: expected statuses of runs, "
					"with commas");
	pg_array_begin(&request->args, PG_INT2);
	for (int i = 0; i < RUN_STATUSES; i++)
		if (actions[request->action].statuses[i] &&
		    (text != NULL ? wanted[i] : !is_wish(request->action, i)))
			pg_arg_int2(&request->args, i);
	pg_array_end(&request->args);
	return 0;
}

static int
arg_time(struct exchange *exchange, const struct json *filter, const char *key,
	 struct pg_args *args)
{
	const char *text = NULL;
	usec_t at = 0;

	if (api_body_text(exchange, filter, key, 1, TEXT_MOST, API_OPTIONAL, &text) < 0)
		return -1;
	if (text != NULL && !rfc3339_parse(text, strlen(text), &at))
		return refuse(exchange,
			      "filter.since, filter.until: expected times such "
			      "as 2026-01-31T09:00:00Z");
	pg_arg_time(args, at);
	return 0;
}

static int
arg_text(struct exchange *exchange, const struct json *filter, const char *key,
	 struct pg_args *args)
{
	const char *text = NULL;

	if (api_body_text(exchange, filter, key, 1, TEXT_MOST, API_OPTIONAL, &text) < 0)
		return -1;
	pg_arg_text(args, text);
	return 0;
}

static int
arg_project(struct exchange *exchange, const struct json *filter, struct pg_args *args)
{
	struct uuid id;
	bool found;

	if (api_body_uuid(exchange, filter, "projectId", &id, &found) < 0)
		return -1;
	pg_arg_uuid(args, found ? &id : NULL);
	return 0;
}

static int
arg_cursor(struct exchange *exchange, const struct json *filter, struct pg_args *args)
{
	const char *text = NULL;
	char *end;
	long long number;

	if (api_body_text(exchange, filter, "cursor", 1, 19, API_OPTIONAL, &text) < 0)
		return -1;
	if (text == NULL) {
		pg_arg_null(args, PG_INT8);
		return 0;
	}
	number = strtoll(text, &end, 10);
	if (*end != '\0' || number < 1)
		return refuse(exchange, "filter.cursor: expected a nextCursor");
	pg_arg_int8(args, number);
	return 0;
}

static int
check_filter(struct exchange *exchange, const struct json *filter)
{
	static const char *const keys[] = { "status",      "workflowId", "projectId",
					    "triggeredBy", "since",      "until",
					    "q",           "cursor",     NULL };

	if (json_type(filter) != JSON_OBJECT)
		return refuse(exchange, "filter: expected an object");
	for (struct json_iter it = json_iter(filter); json_next(&it);) {
		const char *const *key = keys;

		while (*key != NULL && strcmp(*key, it.key) != 0)
			key++;
		if (*key != NULL)
			continue;
		reply_problem(exchange, 400, NULL, "filter: unknown key \"%.100s\"",
			      it.key);
		return -1;
	}
	return 0;
}

static int
read_filter(struct exchange *exchange, const struct json *filter,
	    struct bulk_request *request)
{
	struct pg_args *args = &request->args;
	const char *status = NULL;

	request->statement = "runs_matching";
	if (check_filter(exchange, filter) < 0 ||
	    api_body_text(exchange, filter, "status", 1, TEXT_MOST, API_OPTIONAL,
			  &status) < 0 ||
	    arg_statuses(exchange, status, request) < 0 ||
	    arg_text(exchange, filter, "workflowId", args) < 0 ||
	    arg_project(exchange, filter, args) < 0 ||
	    arg_text(exchange, filter, "triggeredBy", args) < 0 ||
	    arg_time(exchange, filter, "since", args) < 0 ||
	    arg_time(exchange, filter, "until", args) < 0 ||
	    arg_text(exchange, filter, "q", args) < 0 ||
	    arg_cursor(exchange, filter, args) < 0)
		return -1;
	pg_arg_int4(args, (int)request->most);
	api_arg_confined(exchange, args);
	return 0;
}

/* ---- the body ---- */

static int
read_action(struct exchange *exchange, const struct json *body,
	    struct bulk_request *request)
{
	const char *text = NULL;

	if (api_body_text(exchange, body, "action", 1, TEXT_MOST, API_NEEDED, &text) <
	    0)
		return -1;
	for (int i = 0; i < BULK_ACTIONS; i++)
		if (strcmp(actions[i].name, text) == 0) {
			request->action = (enum bulk_action)i;
			request->most = actions[i].most;
			return 0;
		}
	return refuse(exchange, "action: expected cancel or retry");
}

static int
read_which(struct exchange *exchange, const struct json *body,
	   struct bulk_request *request)
{
	const struct json *ids = json_get(body, "ids");
	const struct json *filter = json_get(body, "filter");

	if ((ids == NULL) == (filter == NULL))
		return refuse(exchange, "expected ids or filter, one of them");
	return ids != NULL ? read_ids(exchange, ids, request)
			   : read_filter(exchange, filter, request);
}

int
bulk_read(struct exchange *exchange, struct bulk_request *request)
{
	static const char *const keys[] = { "action", "ids", "filter", NULL };
	struct json *body;
	int result;

	*request = (struct bulk_request){ 0 };
	if (api_body(exchange, keys, &body) < 0)
		return -1;
	pg_args_init(&request->args);
	result = read_action(exchange, body, request);
	if (result == 0)
		result = read_which(exchange, body, request);
	if (result < 0)
		pg_args_fini(&request->args);
	json_unref(&body);
	return result;
}
