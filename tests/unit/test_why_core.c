/* The words for why a run does not move: facts as the database gives them, and the
 * reasons made of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/xalloc.h"
#include "front/why_core.h"
#include "workflow_text.h"

#define ID  "'id': '01', 'runId': 'x-1', 'now': '2026-01-02T00:00:00.000Z'"
#define NOW "2026-01-02T00:00:00.000Z"

static const char definition[] =
    "name: x\nsteps:\n"
    "- { id: a, action: noop, branches: [{ condition: 'true', goto: c }] }\n"
    "- { id: b, action: noop, foreach: '[1, 2]', maxParallel: 1 }\n"
    "- { id: c, action: noop }\n"
    "- { id: d, action: noop, needs: [a, b] }\n"
    "- { id: w, action: wait, event: e, when: 'event.data == 1' }\n";

/* With single quotes for double ones, so that facts can be read. */
static struct json *
facts_of(const char *text)
{
	char *copy = xstrdup(text);
	struct json *facts;

	for (char *c = copy; *c != '\0'; c++)
		*c = *c == '\'' ? '"' : *c;
	facts = json_of(copy);
	free(copy);
	return facts;
}

static char *
told(const struct json *answer)
{
	const struct json *reasons = json_get(answer, "reasons");
	struct buf out = { 0 };

	buf_str(&out, answer == NULL ? "none" : json_str(json_get(answer, "status")));
	for (size_t i = 0; i < json_count(reasons); i++)
		buf_printf(&out, "\n%s: %s",
			   json_str(json_get(json_at(reasons, i), "kind")),
			   json_str(json_get(json_at(reasons, i), "message")));
	return buf_take(&out);
}

struct turn {
	const char *facts, *asked, *expected;
};

#define RUNS(open) "{" ID ", 'status': 1, 'schedulerSeen': true, 'open': [" open "]}"
#define QUEUED(more, served)                                                           \
	"{" ID ", 'status': 1, 'queues': {'q': " served "}, 'open': [{'number': 1, "   \
	"'key': 'a', 'status': 1, 'queue': 'q', 'priority': 'low'" more "}]}"

static const struct turn turns[] = {
	/* the whole run */
	{ "{" ID ", 'status': 3, 'completedAt': 'T'}", NULL,
	  "COMPLETED\nover: the run is over: completed at T" },
	{ "{" ID ", 'status': 4, 'error': {'message': 'bad'}}", NULL,
	  "FAILED\nover: the run is over: failed: bad" },
	{ "{" ID ", 'status': 2, 'pausedBy': 1, 'pause': {'by': 'eve', 'at': 'T'}}",
	  NULL, "PAUSED\npaused: the run is paused by eve since T" },
	{ "{" ID ", 'status': 2, 'pausedBy': 2}", NULL, "PAUSED" },
	{ "{" ID ", 'status': 0}", NULL,
	  "PENDING\nnot_started: the run has not started" },
	{ "{" ID ", 'status': 0, 'runAt': '2027', 'schedulerSeen': true}", NULL,
	  "PENDING\nwaiting_until: the run starts at 2027" },
	{ "{" ID ", 'status': 0, 'runAt': '2025', 'schedulerSeen': true}", NULL,
	  "PENDING\nnot_started: the run has not started: it is due since 2025" },
	{ "{" ID ", 'status': 0, 'runAt': '2027', 'schedulerSeen': false}", NULL,
	  "PENDING\nwaiting_until: the run starts at 2027; no scheduler runs that "
	  "would "
	  "notice when it is due" },
	{ "{" ID ", 'status': 0, 'concurrency': {'key': 'k', 'limit': 2, 'before': 1}}",
	  NULL,
	  "PENDING\nconcurrency: the run waits for a place: at most 2 of \"k\" run at "
	  "once, and 1 waits before it" },
	{ "{" ID
	  ", 'status': 0, 'concurrency': {'key': 'k', 'limit': 1, 'before': 1000}}",
	  NULL,
	  "PENDING\nconcurrency: the run waits for a place: at most 1 of \"k\" run at "
	  "once, and 1000 or more wait before it" },
	/* steps */
	{ RUNS("{'number': 4, 'key': 'd', 'status': 0, 'needs': 2}"), NULL,
	  "RUNNING\ndependency: step \"d\" waits for \"a\", \"b\"" },
	{ RUNS("{'number': 3, 'key': 'c', 'status': 0, 'needs': 1}"), NULL,
	  "RUNNING\ndependency: step \"c\" waits for \"a\"" },
	{ "{" ID ", 'status': 1, 'tops': [['a', 6], ['b', 2]], 'open': [{'number': 4, "
	  "'key': 'd', 'status': 0, 'needs': 1}]}",
	  NULL, "RUNNING\ndependency: step \"d\" waits for \"b\"" },
	{ RUNS("{'number': 9, 'key': 'gone', 'status': 0, 'needs': 1}"), NULL,
	  "RUNNING\ndependency: step \"gone\" waits for other steps" },
	{ RUNS("{'number': 4, 'key': 'd', 'status': 0, 'needs': 0}"), NULL, "RUNNING" },
	{ QUEUED("", "{'workers': 0, 'free': 0}"), NULL,
	  "RUNNING\nqueued: step \"a\" is ready in the queue \"q\" (low), served by 0 "
	  "workers with 0 free slots: no worker serves it" },
	{ QUEUED("", "{'workers': 1, 'free': 0}"), NULL,
	  "RUNNING\nqueued: step \"a\" is ready in the queue \"q\" (low), served by 1 "
	  "worker with 0 free slots: all slots are taken" },
	{ QUEUED("", "{'workers': 2, 'free': 1}"), NULL,
	  "RUNNING\nqueued: step \"a\" is ready in the queue \"q\" (low), served by 2 "
	  "workers with 1 free slot" },
	{ QUEUED(", 'alone': true", "{'workers': 2, 'free': 3}"), NULL,
	  "RUNNING\nqueued: step \"a\" is ready in the queue \"q\" (low), served by 2 "
	  "workers with 3 free slots: its worker died before, so it waits for a worker "
	  "that can run it alone" },
	{ RUNS("{'number': 1, 'key': 'a', 'status': 2, 'attempt': 2, 'startedAt': 'T', "
	       "'worker': {'id': 'w', 'host': 'h'}}"),
	  NULL,
	  "RUNNING\nrunning: step \"a\" runs since T on worker w of h (attempt 2)" },
	{ RUNS("{'number': 1, 'key': 'a', 'status': 3, 'attempt': 1, 'of': 3, 'runAt': "
	       "'2027', 'error': {'message': 'bad'}}"),
	  NULL,
	  "RUNNING\nretrying: step \"a\" failed: bad; it is tried again at 2027 "
	  "(attempt 2 of 3)" },
	{ RUNS("{'number': 1, 'key': 'a', 'status': 4, 'approval': {'prompt': 'Go?', "
	       "'expiresAt': 'T'}}"),
	  NULL,
	  "RUNNING\nwaiting_approval: step \"a\" waits until somebody approves or "
	  "denies, at most until T: Go?" },
	{ RUNS("{'number': 5, 'key': 'w', 'status': 5, 'event': 'e'}"), NULL,
	  "RUNNING\nwaiting_event: step \"w\" waits for an event \"e\" when event.data "
	  "== 1" },
	{ RUNS("{'number': 5, 'key': 'w', 'status': 5, 'runAt': '2027'}"), NULL,
	  "RUNNING\nwaiting_until: step \"w\" waits until 2027" },
	{ RUNS("{'number': 5, 'key': 'w', 'status': 5}"), NULL,
	  "RUNNING\ndependency: step \"w\" waits to be woken" },
	{ RUNS("{'number': 1, 'key': 'a', 'status': 5, 'child': {'runId': 'y-2', "
	       "'status': 'paused'}}"),
	  NULL, "RUNNING\nchild: step \"a\" waits for the run y-2, which is paused" },
	{ RUNS("{'number': 7, 'key': 'b', 'itemIndex': 4, 'status': 5, 'runAt': "
	       "'2027'}"),
	  NULL, "RUNNING\nwaiting_until: item 4 of step \"b\" waits until 2027" },
	{ "{" ID ", 'status': 1, 'heldUp': [{'key': 'b', 'waiting': 1}]}", NULL,
	  "RUNNING\nconcurrency: 1 item of step \"b\" waits for others of it (at most "
	  "1 "
	  "at once)" },
	{ "{" ID ", 'status': 1, 'heldUp': [{'key': 'b', 'waiting': 1000}]}", NULL,
	  "RUNNING\nconcurrency: 1000 or more items of step \"b\" wait for others of "
	  "it "
	  "(at most 1 at once)" },
	/* one step */
	{ RUNS(""), "nowhere", "none" },
	{ RUNS(""), "", "none" },
	{ RUNS(""), "c", "RUNNING\nnot_started: step \"c\" has not been reached" },
	{ "{" ID ", 'status': 1, 'asked': {'number': 2, 'key': 'b', 'status': 7, "
	  "'completedAt': 'T', 'error': {'message': 'bad'}}}",
	  "b", "RUNNING\nover: step \"b\" is over: failed at T: bad" },
	{ "{" ID ", 'status': 1, 'asked': {'number': 2, 'key': 'b', 'status': 5, "
	  "'needs': 3}}",
	  "2",
	  "RUNNING\ndependency: step \"b\" waits for 3 of its own rows: items, or "
	  "steps "
	  "of its block" },
	{ "{" ID ", 'status': 1, 'asked': {'number': 2, 'key': 'b', 'status': 0}}", "2",
	  "RUNNING\nnot_started: step \"b\" has not started" },
};

static void
test_words(void **state)
{
	struct workflow *workflow = workflow_text(definition);

	(void)state;
	for (size_t i = 0; i < sizeof turns / sizeof *turns; i++) {
		struct json *facts = facts_of(turns[i].facts);
		struct json *answer = why_answer(facts, workflow, turns[i].asked);
		char *text = told(answer);

		assert_string_equal(text, turns[i].expected);
		free(text);
		json_unref(&answer);
		json_unref(&facts);
	}
	workflow_free(&workflow);
}

static struct json *
first_reason(const char *text)
{
	struct json *facts = facts_of(text);
	struct json *answer = why_answer(facts, NULL, NULL);
	struct json *first = json_copy(json_at(json_get(answer, "reasons"), 0));

	json_unref(&answer);
	json_unref(&facts);
	return first;
}

static void
test_members(void **state)
{
	struct json *one = first_reason(QUEUED(", 'before': 7", "{'workers': 1}"));

	(void)state;
	assert_string_equal(json_str(json_get(one, "stepId")), "01:1");
	assert_int_equal(json_int(json_get(one, "position")), 8);
	json_unref(&one);
	one = first_reason(QUEUED(", 'before': 1000", "{'workers': 1}"));
	assert_false(json_has(one, "position"));
	assert_int_equal(json_int(json_get(one, "positionAtLeast")), 1000);
	json_unref(&one);
	one = first_reason(QUEUED("", "{'workers': 1}"));
	assert_false(json_has(one, "position") || json_has(one, "positionAtLeast"));
	json_unref(&one);
	one = first_reason(QUEUED(", 'expectedStart': 'T'", "{'workers': 1}"));
	assert_string_equal(json_str(json_get(one, "expectedStart")), "T");
	json_unref(&one);
	one = first_reason(QUEUED(", 'expectedStart': 'T'", "{'workers': 0}"));
	assert_false(json_has(one, "expectedStart"));
	json_unref(&one);
	one = first_reason("{" ID ", 'status': 0, 'runAt': '2027'}");
	assert_true(json_bool(json_get(one, "noScheduler")));
	assert_false(json_has(one, "expectedStart"));
	json_unref(&one);
}

static void
test_a_long_text_is_cut_between_characters(void **state)
{
	struct buf facts = { 0 };
	struct json *one;
	const char *message;

	(void)state;
	buf_str(&facts, "{" ID ", 'status': 4, 'error': {'message': 'x");
	for (int i = 0; i < 2000; i++)
		buf_str(&facts, "ö");
	buf_str(&facts, "'}}");
	one = first_reason(buf_text(&facts));
	message = json_str(json_get(one, "message"));
	assert_true(strlen(message) < 700);
	assert_non_null(strstr(message, "ö\uFFFD"));
	json_unref(&one);
	buf_fini(&facts);
}

static void
test_no_more_than_so_many(void **state)
{
	struct buf text = { 0 };
	struct json *facts, *answer;

	(void)state;
	buf_str(&text, "{" ID ", 'status': 1, 'open': [");
	for (int i = 0; i <= WHY_REASONS_MAX; i++)
		buf_printf(&text, "%s{'number': %d, 'key': 'k', 'status': 2}",
			   i > 0 ? ", " : "", i + 1);
	buf_str(&text, "]}");
	facts = facts_of(buf_text(&text));
	answer = why_answer(facts, NULL, NULL);
	assert_int_equal(json_count(json_get(answer, "reasons")), WHY_REASONS_MAX);
	assert_true(json_bool(json_get(answer, "more")));
	json_unref(&answer);
	json_unref(&facts);
	buf_fini(&text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_members),
		cmocka_unit_test(test_a_long_text_is_cut_between_characters),
		cmocka_unit_test(test_no_more_than_so_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
