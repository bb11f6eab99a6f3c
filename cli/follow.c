/* Following a run. See follow.h. */
#include "follow.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "clock.h"

#define LONG_WAIT "10s"
#define PAUSE     (200 * USEC_MS) /* between two tries */

/* Hands over the events of one answer; false: enough. */
static bool
hand_over(const struct json *answer, int64_t *since, const struct follow *follow)
{
	const struct json *data = json_get(answer, "data");

	for (size_t i = 0; i < json_count(data); i++) {
		const struct json *event = json_at(data, i);

		*since = json_int(json_get(event, "seq"));
		if (!follow->on_event(follow->context, event))
			return false;
	}
	return true;
}

static bool
was_last(const struct json *answer, int64_t since, bool once)
{
	return (once || json_bool(json_get(answer, "over"))) &&
	       since >= json_int(json_get(answer, "lastSeq"));
}

/* What may pass by itself: nobody there, or "later" from a load balancer. */
static bool
may_pass(const struct answer *answer)
{
	return answer->status == 0 || answer->status == 502 || answer->status == 503 ||
	       answer->status == 504;
}

static int
ask(struct server *server, const struct follow *follow, const char *id, int64_t since,
    struct answer *answer)
{
	char *path = xprintf("/api/executions/%s/events?since=%lld&wait=%s", id,
			     (long long)since, follow->once ? "0s" : LONG_WAIT);
	struct question question = { .method = "GET", .path = path };
	int status = server_ask(server, &question, answer);

	free(path);
	return status;
}

struct following {
	struct server *server;
	const struct follow *follow;
	char *id;     /* for a path */
	int64_t seq;  /* of the last event that was handed over */
	usec_t heard; /* when the server answered last */
};

/* What came: go on (true), or *result. */
static bool
take_events(struct following *following, const struct json *answer,
	    enum followed *result)
{
	const struct follow *follow = following->follow;

	following->heard = clock_mono();
	*result = FOLLOWED_STOPPED;
	if (!hand_over(answer, &following->seq, follow))
		return false;
	*result = FOLLOWED_TO_END;
	return !was_last(answer, following->seq, follow->once);
}

/* No events came: try again after a while (true), or *result. */
static bool
take_refusal(struct following *following, const struct answer *answer,
	     enum followed *result, int *status)
{
	usec_t silent = clock_mono() - following->heard;

	*result = FOLLOWED_STOPPED;
	if (server_gave_up(following->server))
		return false;
	if (may_pass(answer) && silent < following->follow->patience) {
		server_pause(following->server, PAUSE);
		return !server_gave_up(following->server);
	}
	*status = server_refusal(following->server, answer);
	*result = FOLLOWED_FAILED;
	return false;
}

enum followed
follow(struct server *server, const struct follow *follow, int *status)
{
	struct following following = { .server = server,
				       .follow = follow,
				       .id = url_segment(follow->run),
				       .seq = follow->since,
				       .heard = clock_mono() };
	enum followed result;
	bool go_on;

	*status = CLI_OK;
	server_about(server, "run", follow->run);
	do {
		struct answer answer;

		if (ask(server, follow, following.id, following.seq, &answer) == CLI_OK)
			go_on = take_events(&following, answer.json, &result);
		else
			go_on = take_refusal(&following, &answer, &result, status);
		answer_fini(&answer);
	} while (go_on);
	free(following.id);
	return result;
}

struct json *
follow_fetch(struct server *server, const char *run, int *status)
{
	char *id = url_segment(run);
	char *path = xprintf("/api/executions/%s", id);
	struct answer answer;
	struct json *json;

	server_about(server, "run", run);
	*status = server_call(server, "GET", path, NULL, &answer);
	json = *status == CLI_OK ? json_ref(answer.json) : NULL;
	answer_fini(&answer);
	free(path);
	free(id);
	return json;
}

int
follow_exit_status(const struct json *run)
{
	static const struct {
		const char *status;
		int exit_status;
	} table[] = { { "COMPLETED", CLI_OK },
		      { "TIMED_OUT", CLI_TIMEOUT },
		      { "CANCELLED", CLI_CANCELLED } };
	const char *status = json_str(json_get(run, "status"));
	const char *code = json_str(json_get(json_get(run, "error"), "code"));

	for (size_t i = 0; status != NULL && i < sizeof table / sizeof *table; i++)
		if (strcmp(table[i].status, status) == 0)
			return table[i].exit_status;
	return code != NULL && strcmp(code, "denied") == 0 ? CLI_DENIED : CLI_FAILED;
}
