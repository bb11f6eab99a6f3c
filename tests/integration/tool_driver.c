/*
 * Runs one step's action as a worker would, without a worker: reads what to do as JSON
 * from standard input, prints the answer as JSON. For the tests of tools and actions.
 *
 * {project, action, fields, input?, state?, steps?: {id: output}, settings?, attempt?,
 *  number?, fence?, run?, projectId?, database?, beginMs?, woke?, stopMs?, forceMs?,
 *  isolation?}
 * It begins once the database is there, or after beginMs without it.
 * settings: {httpAllow, environment: [names], outputMax, user, forgeUrl, forgeToken,
 *  secrets: [texts]}
 * Answer: {ok, output, code?, message?, final?, details?, waitMs?, state, ms, leftMs?}
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "actions/action.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "engine/action_fields.h"
#include "programs.h"
#include "step_log.h"

#define PATIENCE (120 * USEC_SECOND)

extern char **environ;

struct driver {
	struct loop *loop;
	struct settings settings;
	struct services services;
	struct attempt attempt;
	struct step_def def;
	struct workflow workflow;
	struct run run;
	struct mask *mask;
	const struct action *action;
	void *state;
	struct json *request, *fields, *answer;
	char *folder;
	struct timer *begin, *stop, *force, *late, *pg_timer;
	usec_t begun, stopped;
	bool answered;
};

static struct driver *
driver_of(struct attempt *attempt)
{
	return (struct driver *)((char *)attempt - offsetof(struct driver, attempt));
}

/* ---- what a slot does ---- */

static void
end(struct attempt *attempt, bool ok, struct json *output)
{
	struct driver *driver = driver_of(attempt);

	if (driver->answered)
		bug("answered twice");
	driver->answered = true;
	driver->answer = json_new_object();
	json_set(driver->answer, "ok", json_new_bool(ok));
	json_set(driver->answer, "output", json_storable(output, NULL));
	json_set(driver->answer, "ms",
		 json_new_int((loop_mono(driver->loop) - driver->begun) / USEC_MS));
	if (driver->stopped != 0)
		json_set(driver->answer, "leftMs",
			 json_new_int((loop_mono(driver->loop) - driver->stopped) /
				      USEC_MS));
	loop_stop(driver->loop);
}

static void
on_success(struct attempt *attempt, struct json *output)
{
	end(attempt, true, output);
}

static void
on_failure(struct attempt *attempt, const struct attempt_failure *failure)
{
	struct json *answer;

	end(attempt, false, failure->output);
	answer = driver_of(attempt)->answer;
	if (failure->details != NULL)
		json_set(answer, "details",
			 json_storable(json_ref(failure->details), NULL));
	json_set(answer, "code", json_new_str(failure->code));
	json_set(answer, "final", json_new_bool(failure->final));
	json_set(answer, "message", json_new_str(failure->message));
}

static void
on_wait(struct attempt *attempt, usec_t run_at)
{
	struct driver *driver = driver_of(attempt);

	end(attempt, true, NULL);
	json_set(driver->answer, "waitMs",
		 json_new_int((run_at - attempt->started_at) / USEC_MS));
}

/* Only a worker hears of events, and stores runs. */
static const struct attempt_maker maker = {
	.succeeded = on_success,
	.failed = on_failure,
	.waits = on_wait,
};

/* ---- the turn of the attempt ---- */

static void
on_late(void *context)
{
	(void)context;
	fputs("no answer\n", stderr);
	exit(3);
}

static void
on_stop(void *context)
{
	struct driver *driver = context;

	if (driver->answered)
		return;
	driver->stopped = loop_mono(driver->loop);
	driver->action->stop(driver->state, STOP_ASK);
}

static void
on_force(void *context)
{
	struct driver *driver = context;

	if (driver->answered)
		return;
	driver->stopped = loop_mono(driver->loop);
	driver->action->stop(driver->state, STOP_FORCE);
}

static void
run_now(struct driver *driver)
{
	struct err err = { 0 };
	struct json *output = driver->action->now(&driver->attempt, &err);

	if (err.kind == ERR_NONE)
		attempt_succeed(&driver->attempt, output);
	else
		attempt_fail(&driver->attempt, err_kind_name(err.kind),
			     err.kind == ERR_INPUT, "%s", err.text);
}

static void
on_begin(void *context)
{
	struct driver *driver = context;

	driver->begun = loop_mono(driver->loop);
	driver->attempt.started_at = loop_now(driver->loop);
	if (driver->action->now != NULL) {
		run_now(driver);
		return;
	}
	driver->state = driver->action->start(&driver->attempt);
	if (driver->state == NULL && !driver->answered)
		bug("neither started nor failed");
	if (driver->state != NULL && driver->answered)
		bug("answered inside of start");
}

/* ---- building ---- */

static struct texts
texts_of(const struct json *list)
{
	struct texts texts = { 0 };

	texts.count = json_count(list);
	texts.list = xcalloc(texts.count + 1, sizeof *texts.list);
	for (size_t i = 0; i < texts.count; i++)
		texts.list[i] = xstrdup(json_str(json_at(list, i)));
	return texts;
}

static char *
text_of(const struct json *object, const char *name)
{
	return xstrdup(json_str(json_get(object, name)));
}

static void
read_settings(struct driver *driver)
{
	const struct json *json = json_get(driver->request, "settings");
	const struct json *secrets = json_get(json, "secrets");
	struct settings *settings = &driver->settings;

	settings->worker_output_max = json_has(json, "outputMax")
					  ? (long)json_int(json_get(json, "outputMax"))
					  : 1024 * 1024;
	settings->http_allow = texts_of(json_get(json, "httpAllow"));
	settings->worker_environment = texts_of(json_get(json, "environment"));
	settings->worker_user = text_of(json, "user");
	settings->forge_url = text_of(json, "forgeUrl");
	settings->forge_token = text_of(json, "forgeToken");
	settings->database_url = text_of(driver->request, "database");
	settings->database_statement_timeout = 10 * USEC_SECOND;
	driver->mask = mask_new();
	for (size_t i = 0; i < json_count(secrets); i++)
		mask_add(driver->mask, json_str(json_at(secrets, i)),
			 json_str_len(json_at(secrets, i)));
}

/* One step before the one that runs for each of `steps`. */
static void
make_run(struct driver *driver)
{
	const struct json *steps = json_get(driver->request, "steps");
	size_t count = json_count(steps) + 1, i = 0;

	driver->workflow.steps = xcalloc(count, sizeof *driver->workflow.steps);
	driver->workflow.steps_count = count;
	driver->run.workflow = &driver->workflow;
	driver->run.visits = xcalloc(count, sizeof *driver->run.visits);
	for (struct json_iter it = json_iter(steps); json_next(&it); i++) {
		driver->workflow.steps[i].id = (char *)it.key;
		driver->run.visits[i] = (struct visit){ .status = STEP_COMPLETED,
							.number = (int)i + 1,
							.output = it.value };
	}
	driver->workflow.steps[i].id = (char *)"this";
	driver->run.input = json_get(driver->request, "input");
	driver->run.state = json_ref(json_get(driver->request, "state"));
	driver->run.facts = json_get(driver->request, "facts");
}

static int
number_of(const struct json *request, const char *name, int preset)
{
	return json_has(request, name) ? (int)json_int(json_get(request, name))
				       : preset;
}

static void
make_attempt(struct driver *driver)
{
	const struct json *request = driver->request;
	const char *run = json_str(json_get(request, "run"));
	const char *project = json_str(json_get(request, "projectId"));
	struct attempt *attempt = &driver->attempt;

	driver->def =
	    (struct step_def){ .id = (char *)"this", .name = (char *)"This step" };
	*attempt = (struct attempt){
		.maker = &maker,
		.services = &driver->services,
		.run_id = "demo-1",
		.number = number_of(request, "number", 3),
		.attempt = number_of(request, "attempt", 1),
		.fence = number_of(request, "fence", 1),
		.def = &driver->def,
		.run_values = &driver->run,
		.fields = json_get(request, "fields"),
		.idempotency_key = "key-of-the-step",
		.project_path = json_str(json_get(request, "project")),
		.state_p = &driver->run.state,
		.woke = json_bool(json_get(request, "woke")),
		.trace_id = json_str(json_get(request, "traceId")),
	};
	if (run == NULL || !uuid_parse(run, strlen(run), &attempt->run))
		attempt->run = uuid7_new(loop_now(driver->loop));
	if (project != NULL)
		uuid_parse(project, strlen(project), &attempt->project);
	driver->folder =
	    xprintf(".agent/workflows/executions/%s", run != NULL ? run : "test");
	attempt->run_folder = driver->folder;
	attempt->log = step_log_new(attempt->project_path, driver->folder,
				    attempt->number, driver->def.name, driver->mask);
}

static void
on_pg(void *context, bool up)
{
	struct driver *driver = context;

	if (up && driver->begun == 0)
		timer_set(driver->begin, 0);
}

static int
make_services(struct driver *driver, struct err *err)
{
	char path[4096];
	ssize_t len = readlink("/proc/self/exe", path, sizeof path - 40);
	struct programs_conf programs = {
		.loop = driver->loop,
		.settings = &driver->settings,
		.environment = environ,
		.init = path,
		.isolation = (enum isolation)number_of(driver->request, "isolation", 0),
	};
	struct pg_conf pg = { .url = driver->settings.database_url,
			      .application = "tool driver",
			      .statement_timeout = 10 * USEC_SECOND,
			      .on_state = on_pg,
			      .context = driver };

	path[len > 0 ? len : 0] = '\0';
	for (int i = 0; i < 2; i++)
		*strrchr(path, '/') = '\0';
	strcat(path, "/bin/stepmill-init");
	driver->services = (struct services){ .loop = driver->loop,
					      .settings = &driver->settings,
					      .mask = driver->mask,
					      .environment = environ };
	driver->services.programs = programs_new(&programs, err);
	driver->services.httpc = httpc_new(driver->loop, err);
	if (driver->services.programs == NULL || driver->services.httpc == NULL)
		return -1;
	if (driver->settings.database_url == NULL) {
		timer_set(driver->begin, 0);
		return 0;
	}
	driver->services.pg = pg_new(driver->loop, &pg, err);
	return driver->services.pg == NULL ? -1 : 0;
}

static void
set_timer(struct driver *driver, struct timer **timer, const char *name, loop_fn *fn)
{
	*timer = timer_new(driver->loop, fn, driver);
	if (json_has(driver->request, name))
		timer_set(*timer, json_int(json_get(driver->request, name)) * USEC_MS);
}

static struct json *
read_request(void)
{
	struct buf text = { 0 };
	struct json *request = NULL;
	struct err err = { 0 };
	size_t got;

	do {
		got = fread(buf_reserve(&text, 65536), 1, 65536, stdin);
		buf_grow(&text, got);
	} while (got > 0);
	if (json_parse(buf_text(&text), text.len, &request, &err) < 0) {
		fprintf(stderr, "%s\n", err.text);
		exit(2);
	}
	buf_fini(&text);
	return request;
}

static void
print_answer(struct driver *driver)
{
	char *text;

	json_set(driver->answer, "state", json_ref(driver->run.state));
	text = json_text(driver->answer);
	puts(text);
	free(text);
}

static void
texts_free(struct texts *texts)
{
	for (size_t i = 0; i < texts->count; i++)
		free(texts->list[i]);
	free(texts->list);
}

static void
driver_fini(struct driver *driver)
{
	if (driver->state != NULL)
		driver->action->free(driver->state);
	step_log_free(&driver->attempt.log);
	programs_free(&driver->services.programs);
	httpc_free(&driver->services.httpc);
	pg_free(&driver->services.pg);
	timer_free(&driver->begin);
	timer_free(&driver->stop);
	timer_free(&driver->force);
	timer_free(&driver->late);
	mask_free(&driver->mask);
	json_unref(&driver->run.state);
	json_unref(&driver->answer);
	json_unref(&driver->request);
	loop_free(&driver->loop);
	free(driver->workflow.steps);
	free(driver->run.visits);
	free(driver->folder);
	texts_free(&driver->settings.http_allow);
	texts_free(&driver->settings.worker_environment);
	free(driver->settings.worker_user);
	free(driver->settings.forge_url);
	free(driver->settings.forge_token);
	free(driver->settings.database_url);
}

int
main(void)
{
	struct driver driver = { 0 };
	struct err err = { 0 };
	const char *name;

	log_open("driver", LOG_WARN, LOG_TEXT);
	driver.request = read_request();
	driver.loop = loop_new(&err);
	read_settings(&driver);
	name = json_str(json_get(driver.request, "action"));
	driver.action = action_find(action_fields_find(name));
	set_timer(&driver, &driver.begin, "beginMs", on_begin);
	set_timer(&driver, &driver.stop, "stopMs", on_stop);
	set_timer(&driver, &driver.force, "forceMs", on_force);
	set_timer(&driver, &driver.late, "none", on_late);
	timer_set(driver.late, PATIENCE);
	make_run(&driver);
	make_attempt(&driver);
	if (driver.action == NULL || make_services(&driver, &err) < 0) {
		fprintf(stderr, "%s\n", err.text);
		return 2;
	}
	loop_run(driver.loop);
	print_answer(&driver);
	driver_fini(&driver);
	return 0;
}
