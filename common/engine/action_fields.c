/*
 * The fields of each action as tables, nothing else. A new action is a row here, a row
 * in the worker's table, and an enum member.
 */
#include "engine/action_fields.h"

#include <string.h>

#include "engine/model_read.h"

static const char *const methods[] = {
	"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", NULL,
};
static const char *const on_timeouts[] = { "approve", "deny", "fail", NULL };
static const char *const languages[] = { "javascript", "python", "shell", NULL };

/* clang-format off */
static const struct field basic_fields[] = {
	{ .name = "username", .type = FIELD_TEXT, .required = true, .help = "the name" },
	{ .name = "password", .type = FIELD_TEXT, .required = true, .help = "the password" },
	{ 0 },
};

static const struct field auth_fields[] = {
	{ .name = "bearer", .type = FIELD_TEXT, .required = true, .group = 1,
	  .help = "a token, sent as `Authorization: Bearer ...`" },
	{ .name = "basic", .type = FIELD_OBJECT, .required = true, .group = 1,
	  .members = basic_fields, .help = "`{username, password}`" },
	{ 0 },
};

static const struct field noop_fields[] = {
	{ 0 },
};

static const struct field tool_fields[] = {
	{ .name = "tool", .type = FIELD_TEXT, .required = true,
	  .help = "the tool's name, written out (no template)" },
	{ .name = "args", .type = FIELD_OBJECT, .help = "its arguments; none" },
	{ 0 },
};

const struct field action_http_fields[] = {
	{ .name = "method", .type = FIELD_CHOICE, .choices = methods,
	  .help = "`GET HEAD POST PUT PATCH DELETE OPTIONS`; `GET`" },
	{ .name = "url", .type = FIELD_TEXT, .required = true,
	  .help = "http or https" },
	{ .name = "headers", .type = FIELD_PAIRS, .help = "header lines by name; none" },
	{ .name = "query", .type = FIELD_PAIRS,
	  .help = "added to the URL, escaped; none" },
	{ .name = "body", .type = FIELD_TEXT, .group = 1,
	  .help = "the body as it is; none" },
	{ .name = "json", .type = FIELD_ANY, .group = 1,
	  .help = "the body as JSON, with its `Content-Type`; none" },
	{ .name = "auth", .type = FIELD_OBJECT, .members = auth_fields,
	  .help = "`{bearer: TOKEN}` or `{basic: {username, password}}`; none" },
	{ .name = "followRedirects", .type = FIELD_FLAG,
	  .help = "at most 10; `true`" },
	{ 0 },
};

static const struct field wait_fields[] = {
	{ .name = "for", .type = FIELD_DURATION, .required = true, .group = 1,
	  .help = "so long from when the step starts" },
	{ .name = "until", .type = FIELD_MOMENT, .required = true, .group = 1,
	  .help = "until this moment; one that is past is no wait at all" },
	{ .name = "event", .type = FIELD_TEXT, .required = true, .group = 1,
	  .help = "until an event of this type is told over the API (`POST /api/events`); one "
		  "that came since the run started counts. With `timeout` at most so long" },
	{ .name = "when", .type = FIELD_EXPRESSION,
	  .help = "with `event`: an expression that sees `event`; others are passed over" },
	{ 0 },
};

static const struct field approval_fields[] = {
	{ .name = "prompt", .type = FIELD_TEXT, .required = true,
	  .help = "what is asked, shown to who decides" },
	{ .name = "onTimeout", .type = FIELD_CHOICE, .choices = on_timeouts,
	  .help = "what holds when nobody decided within `timeout`: `approve`, `deny` or "
		  "`fail`; `fail`" },
	{ 0 },
};

static const struct field workflow_fields[] = {
	{ .name = "workflow", .type = FIELD_TEXT, .required = true,
	  .help = "the name of the workflow; its newest version runs" },
	{ .name = "input", .type = FIELD_OBJECT, .help = "the run's input; `{}`" },
	{ .name = "wait", .type = FIELD_FLAG,
	  .help = "wait for its end and give its output; `true`" },
	{ 0 },
};

static const struct field conditional_fields[] = {
	{ .name = "condition", .type = FIELD_EXPRESSION, .required = true,
	  .help = "an expression that gives true or false" },
	{ .name = "then", .type = FIELD_STEPS,
	  .help = "ids of the steps that run, one after the other, when it is true; none" },
	{ .name = "else", .type = FIELD_STEPS,
	  .help = "ids of the steps that run when it is false; none" },
	{ 0 },
};

static const struct field loop_fields[] = {
	{ .name = "condition", .type = FIELD_EXPRESSION,
	  .help = "looked at before each iteration; while it is true the body runs again" },
	{ .name = "body", .type = FIELD_STEPS, .required = true,
	  .help = "ids of the steps of an iteration, one after the other" },
	{ 0 },
};

static const struct field code_fields[] = {
	{ .name = "language", .type = FIELD_CHOICE, .choices = languages, .required = true,
	  .help = "`javascript` (node), `python` (python3) or `shell` (sh)" },
	{ .name = "source", .type = FIELD_TEXT, .required = true,
	  .help = "the program's text" },
	{ 0 },
};

static const struct field model_fields[] = {
	{ .name = "model", .type = FIELD_TEXTS,
	  .help = "`provider:model`, or a list to fall over; `default_model` of the "
		  "configuration" },
	{ .name = "prompt", .type = FIELD_TEXT, .required = true,
	  .help = "what is asked" },
	{ .name = "system", .type = FIELD_TEXT, .help = "the system prompt; none" },
	{ .name = "maxTokens", .type = FIELD_COUNT, .min = 1, .max = MODEL_TOKENS_MAX,
	  .help = "of an answer; `4096`" },
	{ .name = "temperature", .type = FIELD_NUMBER, .max = 2,
	  .help = "0 to 2; the provider's" },
	{ .name = "tools", .type = FIELD_TEXTS,
	  .help = "names of tools that the model may call, `git.*` for a family; none" },
	{ .name = "maxToolRounds", .type = FIELD_COUNT, .min = 1, .max = 50,
	  .help = "how often it may ask for tools; `10`" },
	{ .name = "budget", .type = FIELD_OBJECT, .members = model_budget_fields,
	  .help = "`{tokens, usd}`: what the step may use, all attempts together; no limit" },
	{ 0 },
};

static const struct field skill_fields[] = {
	{ .name = "skill", .type = FIELD_TEXT, .required = true,
	  .help = "the skill's name: that of its folder" },
	{ .name = "input", .type = FIELD_OBJECT,
	  .help = "what it is given, checked with its own schema; `{}`" },
	{ 0 },
};

static const struct field agent_fields[] = {
	{ .name = "cli", .type = FIELD_TEXT, .required = true, .group = 1,
	  .help = "a command-line agent: `claude`, `codex`, `gemini`, `opencode`, or one of "
		  "the configuration" },
	{ .name = "bot", .type = FIELD_TEXT, .required = true, .group = 1,
	  .help = "the slug of a bot, whose system prompt, model and tools it has" },
	{ .name = "prompt", .type = FIELD_TEXT, .required = true,
	  .help = "what is asked" },
	{ .name = "model", .type = FIELD_TEXTS,
	  .help = "of `bot`: `provider:model`, or a list to fall over, in place of the bot's; "
		  "of `cli`: as the agent calls it; the agent's own" },
	{ .name = "maxTokens", .type = FIELD_COUNT, .min = 1, .max = MODEL_TOKENS_MAX,
	  .help = "of `bot`: of an answer; `4096`" },
	{ .name = "maxToolRounds", .type = FIELD_COUNT, .min = 1, .max = 50,
	  .help = "of `bot`: how often it may ask for tools; `10`" },
	{ .name = "workingDirectory", .type = FIELD_TEXT,
	  .help = "of `cli`: a folder of the project; the project's" },
	{ .name = "permissions", .type = FIELD_TEXT,
	  .help = "of `cli`: a name of the agent's configuration: `plan`, `edit` or `full`; "
		  "its `default_permissions`, `edit`" },
	{ .name = "resume", .type = FIELD_TEXT,
	  .help = "of `cli`: an earlier session of this agent in this run, or else in the "
		  "project, to go on with: its name, its id or the agent's own id; none" },
	{ .name = "budget", .type = FIELD_OBJECT, .members = model_budget_fields,
	  .help = "`{tokens, usd}`: what the step may use, all attempts together; no limit" },
	{ 0 },
};

static const struct field message_fields[] = {
	{ .name = "from", .type = FIELD_TEXT, .required = true,
	  .help = "the slug of the bot that says it" },
	{ .name = "to", .type = FIELD_TEXT, .required = true, .group = 1,
	  .help = "the slug of the bot to which it is said" },
	{ .name = "channel", .type = FIELD_TEXT, .required = true, .group = 1,
	  .help = "where it is said, of the run's project; made by its first message" },
	{ .name = "body", .type = FIELD_TEXT, .required = true,
	  .help = "what is said; at most 64 KiB" },
	{ .name = "wait", .type = FIELD_FLAG,
	  .help = "with `to`: that bot answers; `false`" },
	{ 0 },
};

const struct action_fields action_fields[ACTION_KINDS] = {
	[ACTION_NOOP] = { .name = "noop", .fields = noop_fields,
			  .help = "does nothing", .output = "null" },
	[ACTION_TOOL] = { .name = "tool", .fields = tool_fields,
			  .help = "calls a tool", .output = "the tool's" },
	[ACTION_HTTP] = { .name = "http", .fields = action_http_fields,
			  .help = "sends one HTTP request",
			  .output = "`{status, headers, body}`, body parsed when it is JSON" },
	[ACTION_WAIT] = { .name = "wait", .fields = wait_fields,
			  .help = "waits without holding a worker's slot",
			  .output = "the event `{id, source, type, data, at}`, or null" },
	[ACTION_CODE] = { .name = "code", .fields = code_fields,
			  .help = "runs a program",
			  .output = "what the program returned", .reads_run = true },
	[ACTION_APPROVAL] = { .name = "approval", .fields = approval_fields,
			  .help = "waits until a person approves or denies",
			  .output = "`{approved, by, comment, at}`" },
	[ACTION_WORKFLOW] = { .name = "workflow", .fields = workflow_fields,
			  .help = "starts a run of another workflow",
			  .output = "the other run's output; without `wait` "
				    "`{executionId}`" },
	[ACTION_CONDITIONAL] = { .name = "conditional", .fields = conditional_fields,
			  .help = "runs one of two blocks of steps",
			  .output = "`{taken}`: `then` or `else`", .flow = true },
	[ACTION_LOOP] = { .name = "loop", .fields = loop_fields,
			  .help = "runs a block of steps again and again",
			  .output = "`{iterations}`", .flow = true },
	[ACTION_MODEL] = { .name = "model", .fields = model_fields,
			  .help = "asks a model",
			  .output = "its text, or the JSON that fits `outputSchema`" },
	[ACTION_SKILL] = { .name = "skill", .fields = skill_fields,
			  .help = "uses a skill: a prompt, or a program beside it",
			  .output = "the skill's JSON; a prompt without a schema of its "
				    "output gives text" },
	[ACTION_AGENT] = { .name = "agent", .fields = agent_fields,
			  .help = "lets a command-line agent or a bot do something",
			  .output = "`{text, sessionId, exitCode, usage}`; with "
				    "`outputSchema` the JSON that fits it" },
	[ACTION_MESSAGE] = { .name = "message", .fields = message_fields,
			  .help = "says something to a bot or in a channel",
			  .output = "the reply's text; without `wait` null" },
};
/* clang-format on */

enum action_kind
action_fields_find(const char *name)
{
	for (int i = 0; i < ACTION_KINDS; i++)
		if (strcmp(action_fields[i].name, name) == 0)
			return (enum action_kind)i;
	return ACTION_KINDS;
}

bool
workflow_acts(const struct workflow *workflow)
{
	if (workflow->program != NULL)
		return true;
	for (size_t i = 0; i < workflow->steps_count; i++) {
		enum action_kind action = workflow->steps[i].action;

		if (action != ACTION_NOOP && action != ACTION_CONDITIONAL &&
		    action != ACTION_LOOP)
			return true;
	}
	return false;
}

const char *
action_name(enum action_kind action)
{
	return action < ACTION_KINDS ? action_fields[action].name : "unknown";
}
