/* Names are asked for after the fact: nothing waits for them, and without them the ids
 * are logged. */
#include "recovery.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/xalloc.h"

#define RUNS_MOST 1000 /* named in one go; a worker holds fewer */

struct recovery {
	struct uuid worker;
	size_t count;
	struct uuid runs[];
};

static void
log_run(const struct recovery *recovery, const struct uuid *run, const char *name,
	const char *workflow)
{
	log_warn("run.recovered", F_UUID("run", run), F_STR("name", name),
		 F_STR("workflow", workflow), F_STR("why", "worker lost"),
		 F_UUID("worker", &recovery->worker));
}

static void
on_names(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct recovery *recovery = context;
	int count = err->kind == ERR_NONE ? pg_count(rows) : 0;
	struct uuid run;

	for (int i = 0; i < count; i++) {
		run = pg_uuid(rows, i, 0);
		log_run(recovery, &run, pg_text(rows, i, 1, NULL),
			pg_text(rows, i, 2, NULL));
	}
	for (size_t i = 0; err->kind != ERR_NONE && i < recovery->count; i++)
		log_run(recovery, &recovery->runs[i], NULL, NULL);
}

static int
compare(const void *a, const void *b)
{
	return uuid_compare(a, b);
}

/* Each run once, however many of its steps were lost. */
static struct recovery *
recovery_new(const struct uuid *worker, const struct ready_ref *refs, size_t count)
{
	struct recovery *recovery =
	    xcalloc(1, sizeof *recovery + count * sizeof recovery->runs[0]);
	size_t kept = 0;

	recovery->worker = *worker;
	for (size_t i = 0; i < count; i++)
		recovery->runs[i] = refs[i].ref.run;
	qsort(recovery->runs, count, sizeof recovery->runs[0], compare);
	for (size_t i = 0; i < count; i++)
		if (kept == 0 ||
		    !uuid_equal(&recovery->runs[kept - 1], &recovery->runs[i]))
			recovery->runs[kept++] = recovery->runs[i];
	recovery->count = kept;
	return recovery;
}

void
recovery_log(struct pg *pg, const struct uuid *worker, const struct ready_ref *refs,
	     size_t count)
{
	struct pg_batch *batch;
	struct recovery *recovery;
	struct pg_args args;

	if (count == 0)
		return;
	recovery = recovery_new(worker, refs, count < RUNS_MOST ? count : RUNS_MOST);
	batch = pg_batch_new(pg);
	pg_batch_attach(batch, recovery, recovery);
	pg_args_init(&args);
	pg_array_begin(&args, PG_UUID);
	for (size_t i = 0; i < recovery->count; i++)
		pg_arg_uuid(&args, &recovery->runs[i]);
	pg_array_end(&args);
	pg_batch_add(batch, "runs_names", &args, on_names, recovery);
	pg_args_fini(&args);
	pg_batch_send(&batch, NULL, NULL);
}
