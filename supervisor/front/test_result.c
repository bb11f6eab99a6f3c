/* Waits for the end of a run as the long poll does: it listens first, and looks then.
 */
#include "front/test_result.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "front/api_logs.h"
#include "front/feed.h"

struct testing {
	struct exchange *exchange;
	struct front *front;
	struct uuid run;
	int step;
	int64_t seen;
	usec_t until; /* monotonic */
	struct feed_wait *wait;
	bool looking; /* a query is under way */
	bool again;   /* something was heard meanwhile: its answer may be too old */
};

static void look(struct testing *testing);

static void
testing_free(void *state)
{
	struct testing *testing = state;

	pg_forget(testing->front->read, testing);
	feed_wait_cancel(&testing->wait);
	free(testing);
}

static usec_t
time_left(const struct testing *testing)
{
	return testing->until - loop_mono(testing->front->loop);
}

/* ---- the answer ---- */

static void
add_member(struct buf *body, const char *key, const struct pg_rows *rows, int column)
{
	const char *text;
	size_t len;

	text = pg_text(rows, 0, column, &len);
	buf_printf(body, ",\"%s\":", key);
	buf_add(body, text, len);
}

static void
answer(struct testing *testing, const struct pg_rows *rows)
{
	bool over = pg_bool(rows, 0, 0);
	struct buf body = { 0 };
	const char *text;
	size_t len;

	text = pg_text(rows, 0, 2, &len);
	buf_add(&body, text, len - 1); /* an object, to be added to */
	if (over) {
		if (pg_is_null(rows, 0, 3))
			buf_str(&body, ",\"output\":null");
		else
			add_member(&body, "output", rows, 3);
		if (!pg_is_null(rows, 0, 4))
			add_member(&body, "error", rows, 4);
		buf_str(&body, ",\"logs\":");
		api_write_log(pg_text(rows, 0, 5, NULL), pg_text(rows, 0, 6, NULL),
			      &body);
	}
	buf_char(&body, '}');
	reply_json_text(testing->exchange, over ? 200 : 202, body.data, body.len);
	buf_fini(&body);
}

/* ---- waiting ---- */

static void
on_result(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct testing *testing = context;

	testing->looking = false;
	if (rows == NULL) {
		reply_err(testing->exchange, err);
		return;
	}
	if (pg_count(rows) == 0) {
		reply_problem(testing->exchange, 404, NULL,
			      "the execution was deleted meanwhile");
		return;
	}
	if (pg_bool(rows, 0, 0) || time_left(testing) <= 0) {
		answer(testing, rows);
		return;
	}
	testing->seen = pg_int(rows, 0, 1);
	if (testing->again || testing->wait == NULL)
		look(testing);
}

static void
on_heard(void *context)
{
	struct testing *testing = context;

	testing->wait = NULL;
	testing->again = true;
	if (!testing->looking)
		look(testing);
}

static void
look(struct testing *testing)
{
	usec_t left = time_left(testing);
	struct pg_args args;

	testing->looking = true;
	testing->again = false;
	if (left > 0 && testing->wait == NULL)
		testing->wait = feed_wait(testing->front->feed, &testing->run,
					  testing->seen, left, on_heard, testing);
	pg_args_init(&args);
	pg_arg_uuid(&args, &testing->run);
	pg_arg_int4(&args, testing->step);
	pg_query(testing->front->read, "runs_test_result", &args, on_result, testing);
	pg_args_fini(&args);
}

void
test_result_reply(struct exchange *exchange, const struct uuid *run, int step)
{
	struct testing *testing = xcalloc(1, sizeof *testing);
	struct front *front = exchange_front(exchange);

	*testing =
	    (struct testing){ .exchange = exchange,
			      .front = front,
			      .run = *run,
			      .step = step,
			      .until = loop_mono(front->loop) + TEST_RESULT_WAIT };
	exchange_set_state(exchange, testing, testing_free);
	look(testing);
}
