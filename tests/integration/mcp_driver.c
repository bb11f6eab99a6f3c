/*
 * The MCP client of a worker without a worker: calls as lines of JSON on standard
 * input, answers as lines on standard output, until the input ends and all connections
 * with it.
 *
 *     mcp_driver FOLDER    FOLDER: of the project; the servers are read from $MCP, as
 *                          they would stand under `mcp` in stepmill.yaml
 *
 * {id, tool: "mcp.S.T", args?, stopMs?, fence?} -> {id, ok, output, code?, message?,
 *                          final?, details?, retryMs?, ms}; its log is that of step
 * `id` {id, list: "S"}       -> {id, ok, tools: [names], code?, message?, final?} {id,
 * model: [names and patterns]} -> what a model is offered: {id, ok, tools}
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "actions/actions.h"
#include "base/list.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "conf/yaml.h"
#include "loop/stream.h"
#include "mcp/mcp.h"
#include "model/offers.h"
#include "programs.h"
#include "step_log.h"

extern char **environ;

struct driver {
	struct loop *loop;
	struct settings settings;
	struct services services;
	struct stream *input;
	struct list runs;
	bool ended;
};

struct run_now {
	struct list link;
	struct driver *driver;
	struct attempt attempt;
	struct step_def def;
	struct run run;
	struct json *request;
	void *state; /* of action_tool */
	struct mcp_call *list;
	struct offers *offers;
	struct timer *stop, *end;
	usec_t begun;
	bool answered;
};

static void go_if_over(struct driver *driver);

/* ---- answers ---- */

static void
print(struct run_now *now, struct json *answer)
{
	char *text;

	if (now->answered)
		bug("answered twice");
	now->answered = true;
	json_set(answer, "id", json_ref(json_get(now->request, "id")));
	json_set(answer, "ms",
		 json_new_int((loop_mono(now->driver->loop) - now->begun) / USEC_MS));
	text = json_text(answer);
	puts(text);
	fflush(stdout);
	free(text);
	json_unref(&answer);
	timer_stop(now->stop);
	timer_set(now->end, 0);
}

static void
on_end(void *context)
{
	struct run_now *now = context;
	struct driver *driver = now->driver;

	if (now->state != NULL)
		action_tool.free(now->state);
	mcp_call_free(&now->list);
	offers_free(&now->offers);
	timer_free(&now->stop);
	timer_free(&now->end);
	step_log_free(&now->attempt.log);
	json_unref(&now->request);
	list_remove(&now->link);
	free(now);
	go_if_over(driver);
}

static struct run_now *
run_of(struct attempt *attempt)
{
	return container_of(attempt, struct run_now, attempt);
}

static void
on_success(struct attempt *attempt, struct json *output)
{
	struct json *answer = json_new_object();

	json_set(answer, "ok", json_new_bool(true));
	json_set(answer, "output", output);
	print(run_of(attempt), answer);
}

static void
on_failure(struct attempt *attempt, const struct attempt_failure *failure)
{
	struct json *answer = json_new_object();
	usec_t now = loop_now(attempt->services->loop);

	json_set(answer, "ok", json_new_bool(false));
	json_set(answer, "code", json_new_str(failure->code));
	json_set(answer, "message", json_new_str(failure->message));
	json_set(answer, "final", json_new_bool(failure->final));
	if (failure->details != NULL)
		json_set(answer, "details", json_ref(failure->details));
	if (failure->retry_at != 0)
		json_set(answer, "retryMs",
			 json_new_int((failure->retry_at - now) / USEC_MS));
	print(run_of(attempt), answer);
}

static const struct attempt_maker maker = { .succeeded = on_success,
					    .failed = on_failure };

static struct json *
list_answer(const struct mcp_answer *answer)
{
	struct json *json = json_new_object();

	json_set(json, "ok", json_new_bool(answer == NULL || answer->code == NULL));
	if (answer != NULL && answer->code != NULL) {
		json_set(json, "code", json_new_str(answer->code));
		json_set(json, "message", json_new_str(answer->message));
		json_set(json, "final", json_new_bool(answer->final));
	}
	return json;
}

static void
on_listed(void *context, const struct mcp_answer *answer)
{
	struct run_now *now = context;
	struct driver *driver = now->driver;
	const char *name = json_str(json_get(now->request, "list"));
	const struct mcp_tools *tools =
	    mcp_tools(driver->services.mcp,
		      mcp_server_find(&driver->settings.mcp, name, strlen(name)));
	struct json *json = list_answer(answer), *names = json_new_array();

	for (size_t i = 0; tools != NULL && i < tools->count; i++)
		json_append(names, json_new_str(tools->list[i].name));
	json_set(json, "tools", names);
	print(now, json);
}

static const struct mcp_call_events list_events = { .done = on_listed };

static void
on_offers(void *context, const struct mcp_answer *failure)
{
	struct run_now *now = context;
	struct talk talk = { 0 };
	struct json *json = list_answer(failure), *names = json_new_array();

	offers_put(&talk, &now->attempt, json_get(now->request, "model"));
	for (size_t i = 0; i < talk.tools_count; i++)
		json_append(names, json_new_str(talk.tools[i].name));
	json_set(json, "tools", names);
	talk_fini(&talk);
	print(now, json);
}

/* ---- calls ---- */

static void
on_stop(void *context)
{
	struct run_now *now = context;

	if (now->state != NULL)
		action_tool.stop(now->state, STOP_ASK);
}

static void
make_attempt(struct run_now *now, const char *folder)
{
	const struct json *id = json_get(now->request, "id");

	now->def = (struct step_def){ .id = (char *)"this", .name = (char *)"This" };
	now->attempt = (struct attempt){
		.maker = &maker,
		.services = &now->driver->services,
		.run_id = "demo-1",
		.number = (int)json_int(id),
		.attempt = 1,
		.fence = 1,
		.def = &now->def,
		.run_values = &now->run,
		.fields = now->request,
		.idempotency_key = "key-of-the-step",
		.project_path = folder,
		.run_folder = ".agent/workflows/executions/test",
	};
	now->attempt.log = step_log_new(folder, now->attempt.run_folder,
					now->attempt.number, "This", NULL);
}

static void
offer(struct run_now *now, const struct json *model)
{
	now->offers = offers_new(&now->attempt, model, on_offers, now);
	if (now->offers == NULL)
		on_offers(now, NULL);
}

static void
begin(struct driver *driver, struct json *request)
{
	struct run_now *now = xcalloc(1, sizeof *now);
	const char *list = json_str(json_get(request, "list"));
	const struct json *model = json_get(request, "model");

	now->driver = driver;
	now->request = request;
	now->begun = loop_mono(driver->loop);
	now->stop = timer_new(driver->loop, on_stop, now);
	now->end = timer_new(driver->loop, on_end, now);
	list_push(&driver->runs, &now->link);
	make_attempt(now, driver->settings.project_path);
	if (list != NULL)
		now->list =
		    mcp_list(driver->services.mcp,
			     mcp_server_find(&driver->settings.mcp, list, strlen(list)),
			     &list_events, now);
	else if (model != NULL)
		offer(now, model);
	else
		now->state = action_tool.start(&now->attempt);
	if (json_has(request, "stopMs") && !now->answered)
		timer_set(now->stop, json_int(json_get(request, "stopMs")) * USEC_MS);
}

static void
on_input(void *context)
{
	struct driver *driver = context;
	struct buf *input = stream_input(driver->input);
	char *end;

	while ((end = memchr(buf_text(input), '\n', input->len)) != NULL) {
		size_t len = (size_t)(end - input->data);
		struct json *request = NULL;
		struct err err = { 0 };

		if (json_parse(input->data, len, &request, &err) < 0)
			bug("no request: %s", err.text);
		buf_consume(input, len + 1);
		begin(driver, request);
	}
}

/* ---- the end ---- */

static void
on_idle(void *context)
{
	loop_stop(((struct driver *)context)->loop);
}

static void
go_if_over(struct driver *driver)
{
	if (driver->ended && list_empty(&driver->runs) &&
	    mcp_leave(driver->services.mcp))
		loop_stop(driver->loop);
}

static void
on_input_end(void *context, const char *error)
{
	struct driver *driver = context;

	(void)error;
	driver->ended = true;
	go_if_over(driver);
}

static const struct stream_events input_events = { .on_input = on_input,
						   .on_end = on_input_end };

static int
read_servers(struct settings *settings)
{
	const char *text = getenv("MCP");
	struct problems problems = { 0 };
	struct doc *tree = yaml_parse(text, strlen(text), &problems);

	mcp_servers_read(&settings->mcp, tree, &problems);
	doc_free(&tree);
	for (size_t i = 0; i < problems.count; i++)
		fprintf(stderr, "%s\n", problems.list[i].message);
	return problems.count > 0 ? -1 : 0;
}

static char *
init_path(void)
{
	char path[4096];
	ssize_t len = readlink("/proc/self/exe", path, sizeof path - 40);

	path[len > 0 ? len : 0] = '\0';
	for (int i = 0; i < 2; i++)
		*strrchr(path, '/') = '\0';
	return xprintf("%s/bin/stepmill-init", path);
}

static void
open_services(struct driver *driver)
{
	struct services *services = &driver->services;
	struct programs_conf programs = { .loop = driver->loop,
					  .settings = &driver->settings,
					  .environment = environ };
	char *init = init_path();
	struct err err = { 0 };

	programs.init = init;
	*services = (struct services){ .loop = driver->loop,
				       .settings = &driver->settings,
				       .environment = environ };
	services->programs = programs_new(&programs, &err);
	services->httpc = httpc_new(driver->loop, &err);
	if (services->programs == NULL || services->httpc == NULL)
		bug("%s", err.text);
	services->mcp = mcp_new(&(struct mcp_conf){ .loop = driver->loop,
						    .settings = &driver->settings,
						    .programs = services->programs,
						    .httpc = services->httpc,
						    .on_idle = on_idle,
						    .context = driver });
	free(init);
}

int
main(int argc, char **argv)
{
	struct driver driver = { 0 };
	struct err err = { 0 };

	log_open("driver", LOG_INFO, LOG_TEXT);
	driver.loop = loop_new(&err);
	list_init(&driver.runs);
	driver.settings.project_path = argc > 1 ? argv[1] : NULL;
	driver.settings.worker_output_max = 1024 * 1024;
	if (driver.settings.project_path == NULL || read_servers(&driver.settings) < 0)
		return 2;
	open_services(&driver);
	driver.input = stream_new(driver.loop, STDIN_FILENO, &input_events, &driver);
	loop_run(driver.loop);
	mcp_free(&driver.services.mcp);
	programs_free(&driver.services.programs);
	httpc_free(&driver.services.httpc);
	stream_free(&driver.input);
	mcp_servers_fini(&driver.settings.mcp);
	loop_free(&driver.loop);
	return 0;
}
