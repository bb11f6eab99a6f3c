/* Facts of runs and projects for the tools. */
#include "store/run_facts.h"

#include "base/xalloc.h"
#include "store/held.h"

struct facts_answer {
	facts_fn *done;
	void *context;
};

static void
on_end(void *context, const struct err *err)
{
	struct facts_answer *answer = context;

	answer->done(answer->context, err);
}

void
run_facts_set(struct pg *pg, const struct held_ref *held, const struct run_facts *facts,
	      facts_fn *done, void *context)
{
	struct facts_answer *answer = xcalloc(1, sizeof *answer);
	struct pg_args args;

	*answer = (struct facts_answer){ done, context };
	held_args(&args, held);
	pg_arg_text(&args, facts->branch);
	pg_arg_text(&args, facts->commit);
	pg_arg_text(&args, facts->pull_request);
	held_send(pg, held, "runs_set_facts", &args, NULL, on_end, answer, context);
	pg_args_fini(&args);
}

struct branch_answer {
	branch_fn *done;
	void *context;
};

static void
on_branch(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct branch_answer *answer = context;
	struct err missing = { 0 };

	if (rows != NULL && pg_count(rows) == 0) {
		err_set(&missing, ERR_NOT_FOUND, "the project is gone");
		err = &missing;
		rows = NULL;
	}
	answer->done(answer->context, rows != NULL ? pg_text(rows, 0, 0, NULL) : NULL,
		     err);
}

void
run_facts_default_branch(struct pg *pg, const struct uuid *project, branch_fn *done,
			 void *context)
{
	struct pg_batch *batch = pg_batch_new(pg);
	struct branch_answer *answer = xcalloc(1, sizeof *answer);
	struct pg_args args;

	*answer = (struct branch_answer){ done, context };
	pg_args_init(&args);
	pg_arg_uuid(&args, project);
	pg_batch_attach(batch, context, answer);
	pg_batch_add(batch, "projects_default_branch", &args, on_branch, answer);
	pg_args_fini(&args);
	pg_batch_send(&batch, NULL, NULL);
}
