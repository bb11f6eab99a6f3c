/*
 * A log as it grows. See log_follow.h. Whether the run is over is asked before the rest
 * of the file is read, so that nothing written before the end is missed.
 */
#include "front/log_follow.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "files/files.h"
#include "front/feed.h"
#include "front/front.h"
#include "front/log_lines_core.h"

#define LOOK          (250 * USEC_MS) /* at a file that said nothing new */
#define ASK           (1 * USEC_SECOND)
#define PIECE         (64 * 1024)
#define PIECES_A_TURN 4

struct following {
	struct exchange *exchange;
	struct front *front;
	struct uuid run;
	char *project, *path;
	int least, fd;
	off_t at;
	struct buf rest; /* a line whose end has not come */
	struct timer *timer;
	struct feed_wait *wait;
	bool over; /* what is in the file now is all */
};

static void ask_over(void *context);

static void
following_free(void *state)
{
	struct following *following = state;

	pg_forget(following->front->read, following);
	feed_wait_cancel(&following->wait);
	timer_free(&following->timer);
	if (following->fd >= 0)
		close(following->fd);
	buf_fini(&following->rest);
	free(following->project);
	free(following->path);
	free(following);
}

/* How many bytes came; 0: no more at the moment. */
static size_t
read_piece(struct following *following)
{
	struct err ignored = { 0 };
	ssize_t got;

	if (following->fd < 0)
		following->fd =
		    files_open(following->project, following->path, O_RDONLY, &ignored);
	if (following->fd < 0)
		return 0;
	got = pread(following->fd, buf_reserve(&following->rest, PIECE), PIECE,
		    following->at);
	if (got <= 0)
		return 0;
	buf_grow(&following->rest, (size_t)got);
	following->at += got;
	return (size_t)got;
}

static void
send_lines(struct following *following)
{
	struct buf *rest = &following->rest, out = { 0 };
	size_t count = 0;
	size_t used = log_lines_pick(buf_text(rest), rest->len, following->least, "\n",
				     &count, &out);

	buf_consume(rest, used);
	if (rest->len > LOG_LINE_MAX)
		buf_clear(rest);
	if (out.len > 0) {
		buf_char(&out, '\n');
		reply_piece(following->exchange, out.data, out.len);
	}
	buf_fini(&out);
}

/* Some pieces a turn; then the client is to read, or others have their turn. */
static void
go_on(void *context)
{
	struct following *following = context;
	size_t got = 1;

	for (int i = 0; i < PIECES_A_TURN && got > 0; i++) {
		got = read_piece(following);
		send_lines(following);
	}
	if (got == 0 && following->over)
		reply_end(following->exchange);
	else if (got == 0)
		timer_set(following->timer, LOOK);
	else if (reply_unsent(following->exchange) == 0)
		timer_set(following->timer, 0);
}

static void
on_drained(struct exchange *exchange)
{
	struct following *following = exchange_state(exchange);

	if (!timer_is_set(following->timer))
		go_on(following);
}

/* Of a run that was deleted nothing more comes either. */
static void
on_asked(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct following *following = context;

	(void)err;
	if (rows != NULL && (pg_is_null(rows, 0, 1) || pg_bool(rows, 0, 1))) {
		following->over = true;
		return;
	}
	following->wait = feed_wait(following->front->feed, &following->run,
				    rows != NULL ? pg_int(rows, 0, 2) : INT64_MAX, ASK,
				    ask_over, following);
}

static void
ask_over(void *context)
{
	struct following *following = context;
	struct pg_args args;

	following->wait = NULL;
	pg_args_init(&args);
	pg_arg_uuid(&args, &following->run);
	pg_arg_int8(&args, INT64_MAX);
	pg_query(following->front->read, "events_since", &args, on_asked, following);
	pg_args_fini(&args);
}

void
log_follow(struct exchange *exchange, const struct log_source *source)
{
	struct following *following = xcalloc(1, sizeof *following);

	following->exchange = exchange;
	following->front = exchange_front(exchange);
	following->run = source->run;
	following->project = xstrdup(source->project);
	following->path = xstrdup(source->path);
	following->least = source->least;
	following->fd = -1;
	following->timer = timer_new(following->front->loop, go_on, following);
	exchange_set_state(exchange, following, following_free);
	reply_begin(exchange, 200, "application/x-ndjson", on_drained);
	timer_set(following->timer, 0);
	ask_over(following);
}
