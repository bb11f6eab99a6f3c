/* Lock, add, read what was added: one transaction. See attach.h. */
#include "store/attach.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/xalloc.h"

struct attaching {
	attached_fn *done;
	void *context;
	struct uuid run;
	int64_t seq; /* 0: there is no such run */
};

static void
on_added(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct attaching *attaching = context;

	(void)err; /* the next statement tells */
	if (rows != NULL && pg_count(rows) > 0)
		attaching->seq = pg_int(rows, 0, 0);
}

static void
on_read(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct attaching *attaching = context;
	struct attached attached = { .run = attaching->run, .seq = attaching->seq };

	if (rows == NULL || pg_count(rows) == 0 || attaching->seq == 0) {
		attaching->done(attaching->context, NULL, err);
		return;
	}
	attached.doc = pg_text(rows, 0, 0, &attached.doc_len);
	attaching->done(attaching->context, &attached, err);
}

static void
add_lock(struct pg_batch *batch, const struct uuid *run)
{
	struct pg_args args;

	pg_args_init(&args);
	pg_array_begin(&args, PG_UUID);
	pg_arg_uuid(&args, run);
	pg_array_end(&args);
	pg_batch_add(batch, "runs_lock", &args, NULL, NULL);
	pg_args_fini(&args);
}

static void
add_read(struct pg_batch *batch, const char *statement, const struct uuid *id,
	 struct attaching *attaching)
{
	struct pg_args args;

	pg_args_init(&args);
	pg_arg_uuid(&args, id);
	pg_batch_add(batch, statement, &args, on_read, attaching);
	pg_args_fini(&args);
}

static void
attach(struct pg *pg, const struct uuid *run, const char *const statements[2],
       const struct pg_args *args, const struct uuid *id, attached_fn *done,
       void *context)
{
	struct pg_batch *batch = pg_batch_new(pg);
	struct attaching *attaching = xcalloc(1, sizeof *attaching);

	*attaching = (struct attaching){ done, context, *run, 0 };
	pg_batch_attach(batch, context, attaching);
	add_lock(batch, run);
	pg_batch_add(batch, statements[0], args, on_added, attaching);
	add_read(batch, statements[1], id, attaching);
	pg_batch_send(&batch, NULL, NULL);
}

static void
args_of(struct pg_args *args, const struct uuid *run, int step)
{
	pg_args_init(args);
	pg_arg_uuid(args, run);
	if (step > 0)
		pg_arg_int4(args, step);
	else
		pg_arg_null(args, PG_INT4);
}

void
attach_comment(struct pg *pg, const struct uuid *run, int step,
	       const struct new_comment *comment, attached_fn *done, void *context)
{
	static const char *const statements[2] = { "comments_add", "comments_get" };
	struct pg_args args;

	args_of(&args, run, step);
	pg_arg_uuid(&args, &comment->id);
	pg_arg_text(&args, comment->author);
	pg_arg_text(&args, comment->message);
	pg_arg_json(&args, comment->metadata);
	attach(pg, run, statements, &args, &comment->id, done, context);
	pg_args_fini(&args);
}

void
attach_artifact(struct pg *pg, const struct uuid *run, int step,
		const struct new_artifact *artifact, attached_fn *done, void *context)
{
	static const char *const statements[2] = { "artifacts_add", "artifacts_get" };
	struct pg_args args;

	args_of(&args, run, step);
	pg_arg_uuid(&args, &artifact->id);
	pg_arg_text(&args, artifact->name);
	pg_arg_text(&args, artifact->type);
	pg_arg_text(&args, artifact->path);
	pg_arg_text(&args, artifact->mime_type);
	pg_arg_int8(&args, artifact->size);
	pg_arg_text(&args, artifact->sha256);
	pg_arg_json(&args, artifact->metadata);
	attach(pg, run, statements, &args, &artifact->id, done, context);
	pg_args_fini(&args);
}
