/* The state of a run. The statements guard; this only asks and tells. */
#include "store/state.h"

#include "base/xalloc.h"
#include "store/held.h"

struct state_answer {
	state_fn *done;
	void *context;
	bool stored;
	bool is_set; /* not stored means that it does not fit */
};

static void
keep_row(void *context, const struct pg_rows *rows)
{
	struct state_answer *answer = context;

	answer->stored = pg_bool(rows, 0, 1);
}

static void
on_end(void *context, const struct err *err)
{
	struct state_answer *answer = context;
	struct err limit = { 0 };

	if (err->kind == ERR_NONE && answer->is_set && !answer->stored) {
		err_set(&limit, ERR_LIMIT,
			"the state of a run holds at most %d KiB; keep large data in a "
			"file",
			STATE_BYTES_MAX / 1024);
		err = &limit;
	}
	answer->done(answer->context, answer->stored, NULL, err);
}

static struct state_answer *
answer_new(state_fn *done, void *context)
{
	struct state_answer *answer = xcalloc(1, sizeof *answer);

	answer->done = done;
	answer->context = context;
	return answer;
}

void
state_set(struct pg *pg, const struct held_ref *held, const char *key,
	  const struct json *value, state_fn *done, void *context)
{
	struct state_answer *answer = answer_new(done, context);
	struct pg_args args;

	answer->is_set = true;
	held_args(&args, held);
	pg_arg_text(&args, key);
	if (value != NULL)
		pg_arg_json(&args, value);
	else
		pg_arg_json_text(&args, "null", 4);
	pg_arg_int4(&args, STATE_BYTES_MAX);
	held_send(pg, held, "state_set", &args, keep_row, on_end, answer, context);
	pg_args_fini(&args);
}

void
state_delete(struct pg *pg, const struct held_ref *held, const char *key,
	     state_fn *done, void *context)
{
	struct pg_args args;

	held_args(&args, held);
	pg_arg_text(&args, key);
	held_send(pg, held, "state_delete", &args, keep_row, on_end,
		  answer_new(done, context), context);
	pg_args_fini(&args);
}

static void
on_get(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct state_answer *answer = context;
	bool found = rows != NULL && pg_count(rows) > 0 && pg_bool(rows, 0, 0);

	answer->done(answer->context, found, found ? pg_json(rows, 0, 1) : NULL, err);
}

void
state_get(struct pg *pg, const struct uuid *run, const char *key, state_fn *done,
	  void *context)
{
	struct pg_batch *batch = pg_batch_new(pg);
	struct state_answer *answer = answer_new(done, context);
	struct pg_args args;

	pg_args_init(&args);
	pg_arg_uuid(&args, run);
	pg_arg_text(&args, key);
	pg_batch_attach(batch, context, answer);
	pg_batch_add(batch, "state_get", &args, on_get, answer);
	pg_args_fini(&args);
	pg_batch_send(&batch, NULL, NULL);
}
