/* The methods of any program. See talk_back.h; docs/program-protocol.md. */
#include "channel/talk_back.h"

#include <stdlib.h>
#include <string.h>

#include "actions/actions.h"
#include "actions/answer.h"
#include "base/list.h"
#include "base/xalloc.h"
#include "channel/inner.h"
#include "engine/tool_names.h"
#include "step_log.h"
#include "store/state.h"

#define KEY_MAX         256
#define LOG_MESSAGE_MAX (64 * 1024)

struct talk_back {
	const struct attempt *attempt;
	const char *folder;
	struct list askings;
	int count; /* so far: tells one from another */
};

/* One call under way. */
struct asking {
	struct list link;
	struct talk_back *talk;
	struct channel_call *call;
	struct inner *inner;
	const char *method; /* of the table */
};

/* ---- what the methods are ---- */

static struct json *
no_answer(struct json *output)
{
	(void)output;
	return json_new_object();
}

static struct json *
found_answer(struct json *output)
{
	struct json *answer = json_new_object();

	json_set(answer, "found", json_ref(output));
	return answer;
}

static struct json *
id_answer(struct json *output)
{
	struct json *answer = json_new_object();

	json_set(answer, "id", json_ref(json_get(output, "id")));
	return answer;
}

static struct json *
artifact_answer(struct json *output)
{
	struct json *answer = id_answer(output);

	json_set(answer, "name", json_ref(json_get(output, "name")));
	json_set(answer, "sizeBytes", json_ref(json_get(output, "size")));
	return answer;
}

static void
copy(struct json *to, const struct json *from, const char *name)
{
	if (json_has(from, name))
		json_set(to, name, json_ref(json_get(from, name)));
}

static struct json *
state_args(struct json *params)
{
	struct json *args = json_new_object();

	copy(args, params, "key");
	copy(args, params, "value");
	return args;
}

static struct json *
key_args(struct json *params)
{
	struct json *args = json_new_object();

	copy(args, params, "key");
	return args;
}

static bool
is_text(const struct json *value, const char *text)
{
	return json_str(value) != NULL && strcmp(json_str(value), text) == 0;
}

static struct json *
comment_args(struct json *params)
{
	struct json *args = json_new_object();

	copy(args, params, "message");
	copy(args, params, "metadata");
	json_set(args, "step",
		 json_new_bool(!is_text(json_get(params, "scope"), "execution")));
	return args;
}

static struct json *
artifact_args(struct json *params)
{
	struct json *args = json_new_object(), *metadata;

	copy(args, params, "path");
	copy(args, params, "name");
	copy(args, params, "type");
	copy(args, params, "mimeType");
	if (json_has(params, "description")) {
		metadata = json_new_object();
		copy(metadata, params, "description");
		json_set(args, "metadata", metadata);
	}
	return args;
}

static const struct method {
	const char *name, *tool;
	struct json *(*args)(struct json *params);
	struct json *(*answer)(struct json *output);
} methods[] = {
	{ "state.set", "state.set", state_args, no_answer },
	{ "state.has", "state.has", key_args, found_answer },
	{ "state.delete", "state.delete", key_args, no_answer },
	{ "comment", "comment.add", comment_args, id_answer },
	{ "artifact", "artifact.add", artifact_args, artifact_answer },
};

static const struct method *
method_find(const char *name)
{
	for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++)
		if (strcmp(methods[i].name, name) == 0)
			return &methods[i];
	return NULL;
}

struct json *
talk_back_fields(const char *name, struct json *params, struct err *err)
{
	const struct method *method = method_find(name);
	struct json *fields;

	if (method == NULL) {
		err_set(err, ERR_NOT_FOUND, "there is no method \"%.64s\"", name);
		return NULL;
	}
	fields = json_new_object();
	json_set(fields, "tool", json_new_str(method->tool));
	json_set(fields, "args", method->args(params));
	return fields;
}

struct json *
talk_back_answer(const char *name, struct json *output)
{
	const struct method *method = method_find(name);

	return method != NULL ? method->answer(output) : json_ref(output);
}

/* ---- info and log ---- */

struct json *
talk_back_info(const struct attempt *attempt)
{
	struct json *info = json_new_object();
	char id[UUID_TEXT];
	char *step;

	json_set(info, "executionId", json_new_str(uuid_format(&attempt->run, id)));
	json_set(info, "runId", json_new_str(attempt->run_id));
	step = xprintf("%s:%d", id, attempt->number);
	json_set(info, "projectId", json_new_str(uuid_format(&attempt->project, id)));
	json_set(info, "projectPath", json_new_str(attempt->project_path));
	json_set(info, "stepId", attempt->number > 0 ? json_new_str(step) : NULL);
	json_set(info, "attempt", json_new_int(attempt->attempt));
	json_set(info, "input", json_ref(attempt->run_values->input));
	free(step);
	return info;
}

static const char *const levels[STEP_LEVELS] = {
	[STEP_TRACE] = "trace", [STEP_DEBUG] = "debug", [STEP_INFO] = "info",
	[STEP_WARN] = "warn",   [STEP_ERROR] = "error", [STEP_FATAL] = "fatal",
};

static int
level_of(const char *text)
{
	for (int i = 0; text != NULL && i < STEP_LEVELS; i++)
		if (strcmp(levels[i], text) == 0)
			return i;
	return -1;
}

bool
talk_back_log(struct step_log *log, struct channel_call **call_p, struct json *params)
{
	const struct json *message = json_get(params, "message");
	const struct json *fields = json_get(params, "fields");
	int level = json_has(params, "level")
			? level_of(json_str(json_get(params, "level")))
			: STEP_INFO;
	struct buf text = { 0 };

	if (level < 0 || json_str(message) == NULL ||
	    json_str_len(message) > LOG_MESSAGE_MAX) {
		channel_fail(call_p, RPC_PARAMS, NULL,
			     level < 0 ? "level: one of trace, debug, info, warn, "
					 "error, fatal"
				       : "message: a string of at most 64 KiB");
		return false;
	}
	buf_add(&text, json_str(message), json_str_len(message));
	if (json_count(fields) > 0) {
		buf_char(&text, ' ');
		json_write(fields, &text);
	}
	if (log != NULL)
		step_log_write(log, (enum step_level)level, buf_text(&text), text.len);
	buf_fini(&text);
	channel_result(call_p, json_new_object());
	return true;
}

/* ---- calls under way ---- */

static void
asking_free(struct asking *asking)
{
	struct channel_call *call = asking->call;

	list_remove(&asking->link);
	pg_forget(asking->talk->attempt->services->pg, asking);
	if (call != NULL)
		channel_fail(&call, RPC_NOT_NOW, NULL, "the step ends");
	inner_free(&asking->inner);
	free(asking);
}

static struct asking *
asking_new(struct talk_back *talk, struct channel_call *call, const char *method)
{
	struct asking *asking = xcalloc(1, sizeof *asking);

	asking->talk = talk;
	asking->call = call;
	asking->method = method;
	list_push(&talk->askings, &asking->link);
	return asking;
}

static void
on_done(void *context, struct inner_end *end)
{
	struct asking *asking = context;
	struct json *data;

	if (!end->failed) {
		channel_result(&asking->call,
			       talk_back_answer(asking->method, end->output));
	} else if (end->code != NULL && strcmp(end->code, "input") == 0) {
		channel_fail(&asking->call, RPC_PARAMS, NULL, "%s", end->message);
	} else {
		data = json_new_object();
		json_set(data, "error", inner_error(end));
		channel_fail(&asking->call,
			     end->code != NULL && strcmp(end->code, "limit") == 0
				 ? RPC_LIMIT
				 : RPC_FAILED,
			     data, "%s", end->message);
	}
	asking_free(asking);
}

static bool
method_of_step(const struct method *method)
{
	return method->args == comment_args || method->args == artifact_args;
}

static void
ask_tool(struct talk_back *talk, struct channel_call *call, const struct method *method,
	 struct json *params)
{
	struct asking *asking = asking_new(talk, call, method->name);
	char *part = xprintf("ctx:%d", ++talk->count);
	struct json *fields = json_new_object(), *args = method->args(params);
	struct attempt base = *talk->attempt;

	if (talk->attempt->number <= 0 && method_of_step(method))
		json_set(args, "step", json_new_bool(false)); /* a program is none */
	json_set(fields, "tool", json_new_str(method->tool));
	json_set(fields, "args", args);
	base.own_folder = talk->folder;
	asking->inner = inner_new(&base, &action_tool, fields, part, on_done, asking);
	free(part);
}

static void
on_value(void *context, bool found, struct json *value, const struct err *err)
{
	struct asking *asking = context;
	struct json *answer;

	if (err->kind != ERR_NONE) {
		json_unref(&value);
		channel_fail(&asking->call, RPC_NOT_NOW, NULL, "%s", err->text);
	} else {
		answer = json_new_object();
		json_set(answer, "value", value);
		json_set(answer, "found", json_new_bool(found));
		channel_result(&asking->call, answer);
	}
	asking_free(asking);
}

/* Not by the tool, which does not say whether there was one. */
static void
ask_value(struct talk_back *talk, struct channel_call *call, struct json *params)
{
	const struct json *key = json_get(params, "key");
	const struct attempt *attempt = talk->attempt;

	if (json_str_len(key) == 0 || json_str_len(key) > KEY_MAX ||
	    strlen(json_str(key)) != json_str_len(key))
		channel_fail(&call, RPC_PARAMS, NULL,
			     "key: 1 to %d bytes, without a NUL", KEY_MAX);
	else if (!tool_names_allow(attempt->tools, "state.get"))
		channel_fail(&call, RPC_FAILED, NULL,
			     "the key that started this run may not use \"state.get\"");
	else
		state_get(attempt->services->pg, &attempt->run, json_str(key), on_value,
			  asking_new(talk, call, "state.get"));
}

void
talk_back_call(struct talk_back *talk, struct channel_call *call, const char *name,
	       struct json *params)
{
	const struct method *method = method_find(name);

	if (method != NULL)
		ask_tool(talk, call, method, params);
	else if (strcmp(name, "state.get") == 0)
		ask_value(talk, call, params);
	else if (strcmp(name, "log") == 0)
		talk_back_log(talk->attempt->log, &call, params);
	else if (strcmp(name, "info") == 0)
		channel_result(&call, talk_back_info(talk->attempt));
	else
		channel_fail(&call, RPC_METHOD, NULL, "there is no method \"%.64s\"",
			     name);
}

struct talk_back *
talk_back_new(const struct attempt *attempt, const char *folder)
{
	struct talk_back *talk = xcalloc(1, sizeof *talk);

	talk->attempt = attempt;
	talk->folder = folder;
	list_init(&talk->askings);
	return talk;
}

void
talk_back_free(struct talk_back **talk_p)
{
	struct talk_back *talk = *talk_p;

	*talk_p = NULL;
	if (talk == NULL)
		return;
	list_each_safe (it, &talk->askings)
		asking_free(container_of(it, struct asking, link));
	free(talk);
}
