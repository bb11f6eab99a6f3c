/*
 * A workflow walked without running anything, over HTTP. The walk may take long (its
 * expressions do what they like with the input), so it is one visit of a step per turn.
 */
#include <stdlib.h>

#include "base/xalloc.h"
#include "conf/yaml.h"
#include "engine/dry_run_core.h"
#include "front/api.h"
#include "front/trial.h"

struct walking {
	struct exchange *exchange;
	struct front *front;
	struct json *input, *steps;
	struct workflow *workflow; /* read for this: the catalog's may go */
	int version;
	struct dry_run *run;
	struct timer *timer;
};

static void
walking_free(void *state)
{
	struct walking *walking = state;

	pg_forget(walking->front->read, walking);
	timer_free(&walking->timer);
	dry_run_free(&walking->run);
	workflow_free(&walking->workflow);
	json_unref(&walking->input);
	json_unref(&walking->steps);
	free(walking);
}

static void
on_turn(void *context)
{
	struct walking *walking = context;
	struct json *answer;

	if (dry_run_walk(walking->run)) {
		timer_set(walking->timer, 0);
		return;
	}
	answer = dry_run_answer(walking->run);
	json_set(answer, "version", json_new_int(walking->version));
	reply_json(walking->exchange, 200, answer);
}

/* False, and that was answered. */
static bool
good_input(struct trial *trial, const struct workflow *workflow)
{
	struct problems problems = { 0 };
	bool good = workflow_check_input(workflow, trial->input, &problems);

	if (!good)
		reply_problem(trial_end(trial), 422, api_problems(&problems),
			      "the input does not fit the workflow's schema");
	problems_fini(&problems);
	return good;
}

static struct workflow *
read_source(const char *source, size_t len)
{
	struct problems problems = { 0 };
	struct doc *doc = yaml_parse(source, len, &problems);
	struct workflow *workflow = doc != NULL ? workflow_read(doc, &problems) : NULL;

	problems_fini(&problems);
	doc_free(&doc);
	return workflow;
}

static void
on_source(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct walking *walking = context;
	const char *source;
	size_t len;

	if (rows == NULL) {
		reply_err(walking->exchange, err);
		return;
	}
	source = pg_text(rows, 0, 1, &len);
	if (!pg_is_null(rows, 0, 1))
		walking->workflow = read_source(source, len);
	if (walking->workflow == NULL) {
		reply_problem(walking->exchange, 404, NULL,
			      "the workflow was deleted meanwhile");
		return;
	}
	walking->run = dry_run_new(walking->workflow, walking->input, walking->steps);
	timer_set(walking->timer, 0);
}

static void
on_workflow(struct trial *trial, const struct catalog_entry *entry)
{
	struct walking *walking;
	struct pg_args args;

	if (!good_input(trial, entry->workflow))
		return;
	walking = xcalloc(1, sizeof *walking);
	walking->front = trial->front;
	walking->input = json_ref(trial->input);
	walking->steps = json_ref(trial->steps);
	walking->version = entry->version;
	walking->timer = timer_new(walking->front->loop, on_turn, walking);
	walking->exchange = trial_end(trial);
	exchange_set_state(walking->exchange, walking, walking_free);
	pg_args_init(&args);
	pg_arg_uuid(&args, &entry->definition);
	pg_query(walking->front->read, "definitions_source", &args, on_source, walking);
	pg_args_fini(&args);
}

static void
on_dry_run(struct exchange *exchange)
{
	static const char *const none[] = { NULL };

	trial_begin(exchange, none, on_workflow);
}

/* clang-format off */
const struct route routes_dry_run[] = {
	{ "POST", "/api/workflows/:id/dry-run", ROLE_OPERATOR, 0, false, on_dry_run, NULL },
	{ 0 },
};
/* clang-format on */
