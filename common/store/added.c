/* Statements that add something to a run and answer with the event's number. */
#include "store/added.h"

#include "base/xalloc.h"
#include "store/held.h"

struct added_answer {
	added_fn *done;
	void *context;
	int64_t seq;
};

static void
keep_row(void *context, const struct pg_rows *rows)
{
	struct added_answer *answer = context;

	if (!pg_is_null(rows, 0, 1))
		answer->seq = pg_int(rows, 0, 1);
}

static void
on_end(void *context, const struct err *err)
{
	struct added_answer *answer = context;

	answer->done(answer->context, answer->seq, err);
}

void
added_send(struct pg *pg, const struct held_ref *held, const char *statement,
	   const struct pg_args *args, added_fn *done, void *context)
{
	struct added_answer *answer = xcalloc(1, sizeof *answer);

	answer->done = done;
	answer->context = context;
	held_send(pg, held, statement, args, keep_row, on_end, answer, context);
}
