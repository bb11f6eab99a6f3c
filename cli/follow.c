/* Following a run. See follow.h. */
#include "follow.h"

#include <stdlib.h>

#include "base/xalloc.h"
#include "clock.h"

#define LONG_WAIT "25s"
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

enum followed
follow(struct server *server, const struct follow *follow, int *status)
{
	usec_t heard = clock_mono();
	char *id = url_segment(follow->run);
	int64_t since = follow->since;
	enum followed result = FOLLOWED_STOPPED;
	bool go_on = true;

	*status = CLI_OK;
	server_about(server, "run", follow->run);
	while (go_on && !server_gave_up(server)) {
		struct answer answer;

		if (ask(server, follow, id, since, &answer) == CLI_OK) {
			heard = clock_mono();
			go_on = hand_over(answer.json, &since, follow);
			if (go_on && was_last(answer.json, since, follow->once)) {
				result = FOLLOWED_TO_END;
				go_on = false;
			}
		} else if (server_gave_up(server)) {
			go_on = false;
		} else if (!may_pass(&answer) ||
			   clock_mono() - heard >= follow->patience) {
			*status = server_refusal(server, &answer);
			result = FOLLOWED_FAILED;
			go_on = false;
		} else {
			server_pause(server, PAUSE);
		}
		answer_fini(&answer);
	}
	free(id);
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
