/* Sessions begin, go on and end. See sessions.h. */
#include "store/sessions.h"

#include <string.h>

#include "base/xalloc.h"
#include "store/held.h"

struct sending {
	session_fn *done;
	void *context;
	struct session_answer answer;
	bool begins;
};

static void
keep_row(void *context, const struct pg_rows *rows)
{
	struct sending *sending = context;
	struct session_answer *answer = &sending->answer;

	answer->seq = pg_is_null(rows, 0, 1) ? 0 : pg_int(rows, 0, 1);
	answer->used = (struct sessions_used){
		.run_tokens = pg_int(rows, 0, 2),
		.run_micros = pg_int(rows, 0, 3),
		.step_tokens = pg_int(rows, 0, 4),
		.step_micros = pg_int(rows, 0, 5),
	};
	if (!sending->begins)
		return;
	answer->former_error = pg_json(rows, 0, 6);
	answer->former_output = pg_json(rows, 0, 7);
}

static void
on_end(void *context, const struct err *err)
{
	struct sending *sending = context;
	struct session_answer *answer = &sending->answer;

	sending->done(sending->context, err->kind == ERR_NONE ? answer : NULL, err);
	json_unref(&answer->former_error);
	json_unref(&answer->former_output);
}

static struct sending *
sending_new(session_fn *done, void *context, bool begins)
{
	struct sending *sending = xcalloc(1, sizeof *sending);

	sending->done = done;
	sending->context = context;
	sending->begins = begins;
	return sending;
}

void
sessions_begin(struct pg *pg, const struct held_ref *held,
	       const struct new_session *session, session_fn *done, void *context)
{
	struct pg_args args;

	held_args(&args, held);
	pg_arg_uuid(&args, &session->id);
	pg_arg_text(&args, session->name);
	pg_arg_text(&args, session->type);
	pg_arg_text(&args, session->agent);
	pg_arg_text(&args, session->model);
	pg_arg_uuid(&args, session->bot);
	pg_arg_uuid(&args, session->peer);
	held_send(pg, held, "sessions_begin", &args, keep_row, on_end,
		  sending_new(done, context, true), context);
	pg_args_fini(&args);
}

void
sessions_update(struct pg *pg, const struct held_ref *held,
		const struct session_now *session, session_fn *done, void *context)
{
	struct pg_args args;

	held_args(&args, held);
	pg_arg_uuid(&args, &session->id);
	pg_arg_text(&args, session->status);
	pg_arg_json(&args, session->usage);
	pg_arg_text(&args, session->model);
	pg_arg_text(&args, session->activity);
	pg_arg_bool(&args, session->tell);
	pg_arg_text(&args, session->external_id);
	pg_arg_text(&args, session->file_path);
	if (session->has_exit)
		pg_arg_int4(&args, session->exit_code);
	else
		pg_arg_null(&args, PG_INT4);
	held_send(pg, held, "sessions_update", &args, keep_row, on_end,
		  sending_new(done, context, false), context);
	pg_args_fini(&args);
}

/* ---- looking for one ---- */

struct finding {
	session_found_fn *done;
	void *context;
};

static void
on_found(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct finding *finding = context;
	struct json *files, *sums;

	if (rows == NULL || pg_count(rows) == 0) {
		finding->done(finding->context, NULL, err);
		return;
	}
	files = pg_json(rows, 0, 2);
	sums = pg_is_null(rows, 0, 3) ? NULL : pg_json(rows, 0, 3);
	finding->done(finding->context,
		      &(struct session_row){
			  .id = pg_uuid(rows, 0, 0),
			  .external_id = pg_text(rows, 0, 1, NULL),
			  .files = files,
			  .sums = sums,
		      },
		      err);
	json_unref(&files);
	json_unref(&sums);
}

void
sessions_find(struct pg *pg, const struct session_search *search,
	      session_found_fn *done, void *context)
{
	struct pg_batch *batch = pg_batch_new(pg);
	struct finding *finding = xcalloc(1, sizeof *finding);
	struct pg_args args;
	struct uuid id;
	bool is_id = uuid_parse(search->text, strlen(search->text), &id);

	*finding = (struct finding){ done, context };
	pg_batch_attach(batch, context, finding);
	pg_args_init(&args);
	pg_arg_uuid(&args, &search->run);
	pg_arg_uuid(&args, &search->self);
	pg_arg_text(&args, search->agent);
	pg_arg_text(&args, search->text);
	pg_arg_uuid(&args, is_id ? &id : NULL);
	pg_batch_add(batch, "sessions_find", &args, on_found, finding);
	pg_args_fini(&args);
	pg_batch_send(&batch, NULL, NULL);
}
