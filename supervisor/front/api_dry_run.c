/* A workflow walked without running anything, over HTTP. */
#include "engine/dry_run_core.h"

#include "front/api.h"
#include "front/trial.h"

static void
on_workflow(struct trial *trial, const struct catalog_entry *entry)
{
	struct problems problems = { 0 };
	struct exchange *exchange;
	struct json *answer;

	if (!workflow_check_input(entry->workflow, trial->input, &problems)) {
		reply_problem(trial_end(trial), 422, api_problems(&problems),
			      "the input does not fit the workflow's schema");
		problems_fini(&problems);
		return;
	}
	problems_fini(&problems);
	answer = dry_run(entry->workflow, trial->input, trial->steps);
	json_set(answer, "version", json_new_int(entry->version));
	exchange = trial_end(trial);
	reply_json(exchange, 200, answer);
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
