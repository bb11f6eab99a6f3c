/* The runs in hand, by id. See live_run.h. */
#include "live_run.h"

#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/xalloc.h"
#include "files/run_folder.h"

struct live_runs {
	struct map *by_id;
	struct json *environment;
};

struct live_runs *
live_runs_new(struct json *environment)
{
	struct live_runs *runs = xcalloc(1, sizeof *runs);

	runs->by_id = map_new();
	runs->environment = environment;
	return runs;
}

static void
live_free(void *value)
{
	struct live_run *live = value;

	run_fini(&live->run);
	free(live->project_path);
	free(live->folder);
	free(live->triggered_by);
	json_unref(&live->tools);
	free(live->trace_id);
	free(live->concurrency_key);
	free(live);
}

void
live_runs_free(struct live_runs **runs_p)
{
	struct live_runs *runs = *runs_p;

	if (runs == NULL)
		return;
	map_free(&runs->by_id, live_free);
	json_unref(&runs->environment);
	free(runs);
	*runs_p = NULL;
}

struct live_run *
live_runs_find(struct live_runs *runs, const struct uuid *id)
{
	return map_get(runs->by_id, id->b, sizeof id->b);
}

/* `run` in expressions. */
static struct json *
facts(const struct claimed *claimed)
{
	struct json *json = json_new_object();
	char text[UUID_TEXT];
	const char *dash = strrchr(claimed->run_id, '-');

	json_set(json, "id", json_new_str(uuid_format(&claimed->run, text)));
	json_set(json, "runId", json_new_str(claimed->run_id));
	json_set(
	    json, "workflow",
	    json_new_str_len(claimed->run_id, dash ? (size_t)(dash - claimed->run_id)
						   : strlen(claimed->run_id)));
	json_set(json, "projectId", json_new_str(uuid_format(&claimed->project, text)));
	json_set(json, "projectPath", json_new_str(claimed->project_path));
	json_set(json, "triggeredBy", json_new_str(claimed->triggered_by));
	return json;
}

static struct live_run *
live_new(struct claimed *claimed)
{
	struct live_run *live = xcalloc(1, sizeof *live);

	live->run.id = claimed->run;
	live->run.run_id = xstrdup(claimed->run_id);
	live->run.facts = facts(claimed);
	live->definition_id = claimed->definition;
	live->project = claimed->project;
	live->project_path = xstrdup(claimed->project_path);
	live->folder = run_folder_path(&claimed->run);
	live->triggered_by = xstrdup(claimed->triggered_by);
	live->priority = claimed->priority;
	live->concurrency_key = xstrdup(claimed->concurrency_key);
	live->trace_id = xstrdup(claimed->trace_id);
	live->tools = claimed->tools;
	claimed->tools = NULL;
	live->parent_run = claimed->parent_run;
	live->has_parent_run = claimed->has_parent_run;
	return live;
}

/* A fresh claim knows better than what was kept: another worker may have moved the run.
 */
static void
take_values(struct live_run *live, struct claimed *claimed)
{
	struct run *run = &live->run;

	if (run->input == NULL) {
		run->input = claimed->input;
		run->trigger = claimed->trigger;
		claimed->input = claimed->trigger = NULL;
	}
	json_unref(&run->state);
	run->state = claimed->state;
	claimed->state = NULL;
	/* What the items of one foreach may read does not change while they run. */
	if (!claimed->is_item || live->users == 0 || live->items_of != claimed->parent)
		live->visits_known = false;
	if (claimed->is_item)
		live->items_of = claimed->parent;
}

void
live_run_tell_secrets(struct live_run *live, struct json *secrets)
{
	if (live->run.secrets == secrets)
		return;
	json_unref(&live->run.secrets);
	live->run.secrets = json_ref(secrets);
}

void
live_run_define(struct live_run *live, struct definition **definition_p)
{
	live->definition = *definition_p;
	*definition_p = NULL;
	live->run.workflow = live->definition->workflow;
	live->run.visits =
	    xcalloc(live->run.workflow->steps_count, sizeof *live->run.visits);
}

struct live_run *
live_runs_hold(struct live_runs *runs, struct claimed *claimed)
{
	struct live_run *live = live_runs_find(runs, &claimed->run);

	if (live == NULL) {
		live = live_new(claimed);
		live->run.environment = json_ref(runs->environment);
		map_put(runs->by_id, live->run.id.b, sizeof live->run.id.b, live);
	}
	take_values(live, claimed);
	live->users++;
	return live;
}

void
live_runs_drop(struct live_runs *runs, struct live_run **live_p)
{
	struct live_run *live = *live_p;

	*live_p = NULL;
	if (live == NULL || --live->users > 0)
		return;
	map_remove(runs->by_id, live->run.id.b, sizeof live->run.id.b);
	live_free(live);
}
