/*
 * model: asks, runs the tools that the model calls, asks on, until there is an answer
 * that fits. Whatever was used is stored before the next call and before the answer, so
 * that budgets see it. What goes over the wire is model/call.c's, who is asked is
 * model/choice_core.c's.
 *
 *   begin session -> call -> tools -> store usage -> call ... -> end session -> answer
 *                     \-> trouble: the next model, or a wait, or the end
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actions/actions.h"
#include "actions/answer.h"
#include "base/xalloc.h"
#include "digest/digest.h"
#include "mcp/mcp.h"
#include "model/answer_core.h"
#include "model/as_bot.h"
#include "model/call.h"
#include "model/offers.h"
#include "model/order.h"
#include "model/tool_calls.h"
#include "step_log.h"
#include "store/sessions.h"
#include "tools/holding.h"

#define SIZE_MAX_SENT (16 * 1024 * 1024) /* of a conversation */
#define TELL_EVERY    USEC_SECOND
#define REPAIRS       1

/* How the step ends, kept until the session's end is stored. */
struct model_end {
	bool decided, good, final;
	const char *code;
	char *message;
	struct json *output;
	usec_t retry_at;
};

struct asking {
	struct attempt *attempt;
	struct offers *offers; /* MCP servers are asked for their tools */
	struct order order;
	struct model_call *call;
	struct tool_calls *tools;
	struct timer *patience;
	struct uuid session;
	struct sessions_used before;
	struct usage_sum used;
	int calls, tool_rounds, tools_run, repairs;
	usec_t began, told_at, called_at; /* monotonic */
	bool storing, stopped, has_session;
	bool refused; /* before there was an order: the attempt has its answer */
	bool closed;  /* the end of the session is stored, or about to be */
	struct trouble trouble; /* the last one */
	struct model_end ending;
};

static void ask(struct asking *asking);

/* ---- the end ---- */

static void
deliver(struct asking *asking)
{
	struct model_end *ending = &asking->ending;
	struct json *output = ending->output;

	ending->output = NULL;
	if (asking->attempt->as_bot != NULL)
		as_bot_told(asking->attempt->as_bot, &asking->session, &asking->used);
	if (ending->good) {
		attempt_succeed(asking->attempt, output);
		return;
	}
	attempt_fail_until(asking->attempt, &(struct attempt_failure){
						.code = ending->code,
						.message = ending->message,
						.final = ending->final,
						.retry_at = ending->retry_at,
						.output = output,
					    });
}

/* ---- the session ---- */

static void on_stored(void *context, const struct session_answer *answer,
		      const struct err *err);

static void
store(struct asking *asking, const char *status, const char *activity)
{
	struct held_ref held = holding(asking->attempt);
	usec_t now = loop_mono(asking->attempt->services->loop);
	struct json *usage = usage_json(&asking->used);
	bool tell = asking->ending.decided || now - asking->told_at >= TELL_EVERY;

	if (tell)
		asking->told_at = now;
	asking->storing = true;
	sessions_update(asking->attempt->services->pg, &held,
			&(struct session_now){
			    .id = asking->session,
			    .status = status,
			    .usage = usage,
			    .model = order_current(&asking->order)->name,
			    .activity = activity,
			    .tell = tell,
			},
			on_stored, asking);
	json_unref(&usage);
}

/* The session ends first, then the step. */
static void
conclude(struct asking *asking)
{
	if (!asking->has_session || asking->closed) {
		deliver(asking);
		return;
	}
	asking->closed = true;
	store(asking,
	      asking->ending.good ? "completed"
	      : asking->stopped   ? "stopped"
				  : "failed",
	      NULL);
}

static void
on_stored(void *context, const struct session_answer *answer, const struct err *err)
{
	struct asking *asking = context;

	asking->storing = false;
	if (answer != NULL) {
		asking->before = answer->used;
		holding_ring(asking->attempt, answer->seq);
	} else {
		step_log_printf(asking->attempt->log, STEP_WARN,
				"what was used is not told: %s", err->text);
	}
	if (asking->ending.decided)
		conclude(asking);
	else
		ask(asking);
}

static void
decide(struct asking *asking)
{
	asking->ending.decided = true;
	timer_stop(asking->patience);
	if (!asking->storing)
		conclude(asking);
}

/* output: taken, or NULL. */
static void
fail(struct asking *asking, const char *code, bool final, struct json *output,
     const char *message)
{
	asking->ending.code = code;
	asking->ending.final = final;
	asking->ending.message = xstrdup(message);
	asking->ending.output = output;
	decide(asking);
}

static void
succeed(struct asking *asking, struct json *output)
{
	asking->ending.good = true;
	asking->ending.output = output;
	decide(asking);
}

/* ---- an answer ---- */

static struct json *
text_of(const struct asking *asking, const struct heard *reply)
{
	return answer_text(asking->attempt, buf_text(&reply->text), reply->text.len);
}

/* Told why, it may do better; once. */
static void
repair(struct asking *asking, const struct heard *reply, const char *why)
{
	struct buf words = { 0 };

	step_log_printf(asking->attempt->log, STEP_WARN,
			"the answer is of no use, the model is told why: %s", why);
	asking->repairs++;
	answer_again(why, asking->order.talk.schema != NULL, &words);
	talk_reply(&asking->order.talk, reply);
	talk_ask(&asking->order.talk, buf_text(&words));
	buf_fini(&words);
	store(asking, "running", "repairing the answer");
}

static void
take_json(struct asking *asking, const struct heard *reply)
{
	const struct step_def *def = asking->attempt->def;
	struct span span = answer_span(buf_text(&reply->text), reply->text.len);
	struct json *json = NULL;
	struct buf why = { 0 };
	struct err err = { 0 };

	if (answer_json(asking->attempt, span.text, span.len, &json, &err) < 0)
		buf_printf(&why, "it is no JSON: %s", err.text);
	else if (answer_fits(def->output_rules, json, &why))
		buf_clear(&why);
	if (why.len == 0) {
		succeed(asking, json);
	} else {
		json_unref(&json);
		if (asking->repairs < REPAIRS)
			repair(asking, reply, buf_text(&why));
		else
			fail(asking, "output_schema", false, text_of(asking, reply),
			     buf_text(&why));
	}
	buf_fini(&why);
}

static void
on_tools_done(void *context)
{
	struct asking *asking = context;

	tool_calls_free(&asking->tools);
	model_call_free(&asking->call); /* its reply was borrowed */
	if (asking->stopped)
		fail(asking, "stopped", false, NULL, "told to stop");
	else
		store(asking, "running", "reading what the tools say");
}

static void
run_tools(struct asking *asking, const struct heard *reply)
{
	char text[100];

	if (asking->tool_rounds == asking->order.max_rounds) {
		snprintf(text, sizeof text,
			 "the model asked for tools more than %d times",
			 asking->order.max_rounds);
		fail(asking, "tool_rounds", false, text_of(asking, reply), text);
		return;
	}
	asking->tool_rounds++;
	talk_reply(&asking->order.talk, reply);
	talk_results(&asking->order.talk);
	asking->tools = tool_calls_new(asking->attempt, &asking->order.talk, reply,
				       asking->tools_run, on_tools_done, asking);
	asking->tools_run += (int)reply->calls_count;
}

static void
take_text(struct asking *asking, const struct heard *reply)
{
	if (asking->order.talk.schema != NULL)
		take_json(asking, reply);
	else if (reply->text.len == 0)
		fail(asking, "empty_answer", false, NULL, "the model answered nothing");
	else
		succeed(asking, text_of(asking, reply));
}

static void
take_answer(struct asking *asking, const struct heard *reply)
{
	choices_good(&asking->order.choices);
	if (reply->stop == HEARD_LENGTH)
		fail(asking, "max_tokens", false, text_of(asking, reply),
		     "the answer was longer than maxTokens");
	else if (reply->stop == HEARD_REFUSED)
		fail(asking, "refused", true, text_of(asking, reply),
		     "the model may not answer this, or does not want to");
	else if (reply->stop == HEARD_TOOLS)
		run_tools(asking, reply);
	else
		take_text(asking, reply);
}

/* ---- usage and budgets ---- */

static size_t
reply_size(const struct heard *reply)
{
	size_t size = reply->text.len;

	for (size_t i = 0; i < reply->calls_count; i++)
		size += reply->calls[i].arguments.len;
	return size;
}

/* What a call in trouble has told counts as well; it is paid for. */
static void
count_usage(struct asking *asking, const struct heard *reply)
{
	const struct ordered_model *model = order_current(&asking->order);
	struct usage usage = reply->usage;
	struct rate rate;
	bool priced = order_rate(model, &rate);

	if (!reply->has_usage && reply->trouble.kind != TROUBLE_NONE)
		return;
	if (!reply->has_usage) {
		usage = usage_guess(talk_size(&asking->order.talk), reply_size(reply));
		asking->used.estimated = true;
	}
	usage_add(&asking->used, &usage, priced ? &rate : NULL);
}

static bool
has_budget(struct asking *asking)
{
	const struct sessions_used *before = &asking->before;
	int64_t tokens = usage_tokens(&asking->used);
	int64_t micros = usage_micros(&asking->used);
	struct buf why = { 0 };
	bool over;

	over = usage_is_over(&asking->order.budget, before->step_tokens + tokens,
			     before->step_micros + micros, "the step", &why) ||
	       usage_is_over(&asking->order.run_budget, before->run_tokens + tokens,
			     before->run_micros + micros, "the run", &why);
	if (over)
		fail(asking, "budget_exceeded", true, NULL, buf_text(&why));
	buf_fini(&why);
	return !over;
}

/* ---- a call ---- */

static void
log_call(const struct asking *asking, const struct heard *reply)
{
	const char *model = order_current(&asking->order)->name;
	usec_t now = loop_mono(asking->attempt->services->loop);
	long long ms = (now - asking->called_at) / USEC_MS;

	if (reply->trouble.kind != TROUBLE_NONE)
		step_log_printf(
		    asking->attempt->log, STEP_WARN, "%s: %s after %lld ms: %s", model,
		    trouble_code(reply->trouble.kind), ms, reply->trouble.message);
	else
		step_log_printf(asking->attempt->log, STEP_INFO,
				"%s answered after %lld ms: %lld tokens in, %lld out",
				model, ms, (long long)reply->usage.input,
				(long long)reply->usage.output);
}

static void
on_reply(void *context, const struct heard *reply)
{
	struct asking *asking = context;
	uint64_t random;

	log_call(asking, reply);
	count_usage(asking, reply);
	asking->used.rounds++;
	if (reply->trouble.kind == TROUBLE_NONE) {
		take_answer(asking, reply);
	} else {
		digest_random(&random, sizeof random);
		asking->trouble = reply->trouble;
		choices_bad(&asking->order.choices, &reply->trouble,
			    loop_mono(asking->attempt->services->loop), random);
		ask(asking);
	}
}

static void
send_talk(struct asking *asking)
{
	const struct ordered_model *model = order_current(&asking->order);

	if (talk_size(&asking->order.talk) > SIZE_MAX_SENT) {
		fail(asking, "prompt_too_large", true, NULL,
		     "the conversation is larger than 16 MiB");
		return;
	}
	model_call_free(&asking->call);
	asking->called_at = loop_mono(asking->attempt->services->loop);
	asking->call =
	    model_call_new(asking->attempt, model->provider, model->model,
			   &asking->order.talk, ++asking->calls, on_reply, asking);
}

/* Of several troubles the last is told, and it is final only if all were. */
static void
give_up(struct asking *asking, usec_t wait)
{
	const struct choices *choices = &asking->order.choices;
	struct buf text = { 0 };

	buf_printf(&text, "%s: %s", order_current(&asking->order)->name,
		   asking->trouble.message);
	if (wait > 0)
		asking->ending.retry_at =
		    loop_now(asking->attempt->services->loop) + wait;
	fail(asking, trouble_code(choices->last), !choices->may_mend, NULL,
	     buf_text(&text));
	buf_fini(&text);
}

static usec_t
time_left(const struct asking *asking, usec_t now)
{
	usec_t timeout = asking->attempt->def->timeout;
	usec_t left = asking->began + timeout - now;

	return timeout == 0 ? 0 : left > 0 ? left : 1;
}

static void
ask(struct asking *asking)
{
	usec_t now = loop_mono(asking->attempt->services->loop), wait;
	enum choice_verdict verdict;

	if (!has_budget(asking))
		return;
	verdict =
	    choices_next(&asking->order.choices, now, time_left(asking, now), &wait);
	if (verdict == CHOICE_CALL) {
		send_talk(asking);
	} else if (verdict == CHOICE_WAIT) {
		step_log_printf(asking->attempt->log, STEP_INFO, "waits %lld ms",
				(long long)(wait / USEC_MS));
		timer_set(asking->patience, wait + USEC_MS); /* never too early */
	} else {
		give_up(asking, wait);
	}
}

static void
on_patience_over(void *context)
{
	ask(context);
}

/* ---- begin ---- */

struct lesson {
	const char *code; /* of failures that are the model's own */
};

static const struct lesson lessons[] = {
	{ "output_schema" },
	{ "max_tokens" },
	{ "empty_answer" },
	{ "tool_rounds" },
};

/* llm_self_correct: what it said the last time, and why that was of no use. */
static void
tell_failure(struct asking *asking, const struct session_answer *answer)
{
	const char *code = json_str(json_get(answer->former_error, "code"));
	const char *why = json_str(json_get(answer->former_error, "message"));
	struct buf words = { 0 };
	char *said;

	for (size_t i = 0; code != NULL && i < sizeof lessons / sizeof lessons[0];
	     i++) {
		if (strcmp(lessons[i].code, code) != 0)
			continue;
		said = field_as_text(answer->former_output);
		answer_again(why != NULL ? why : code,
			     asking->order.talk.schema != NULL, &words);
		if (*said != '\0')
			talk_answered(&asking->order.talk, said);
		talk_ask(&asking->order.talk, buf_text(&words));
		free(said);
	}
	buf_fini(&words);
}

static void
on_begun(void *context, const struct session_answer *answer, const struct err *err)
{
	struct asking *asking = context;

	asking->storing = false;
	if (answer == NULL && asking->ending.decided) {
		conclude(asking);
		return;
	}
	if (answer == NULL) {
		fail(asking, err_kind_name(err->kind), false, NULL, err->text);
		return;
	}
	asking->has_session = true;
	asking->before = answer->used;
	holding_ring(asking->attempt, answer->seq);
	if (asking->attempt->def->self_correct)
		tell_failure(asking, answer);
	if (asking->ending.decided)
		conclude(asking);
	else
		ask(asking);
}

static void
begin_session(struct asking *asking)
{
	struct attempt *attempt = asking->attempt;
	const struct ordered_model *model = order_current(&asking->order);
	const struct as_bot *as_bot = attempt->as_bot;
	struct held_ref held = holding(attempt);
	char what[40];

	snprintf(what, sizeof what, "session:%d", attempt->fence);
	asking->session = holding_id(attempt, what);
	asking->storing = true;
	sessions_begin(attempt->services->pg, &held,
		       &(struct new_session){
			   .id = asking->session,
			   .name = attempt->def->name,
			   .type = "model",
			   .agent = model->provider->name,
			   .model = model->name,
			   .bot = as_bot != NULL ? &as_bot->bot : NULL,
			   .peer = as_bot != NULL ? as_bot->peer : NULL,
		       },
		       on_begun, asking);
}

static void
model_free(void *state)
{
	struct asking *asking = state;

	pg_forget(asking->attempt->services->pg, asking);
	offers_free(&asking->offers);
	tool_calls_free(&asking->tools);
	model_call_free(&asking->call);
	timer_free(&asking->patience);
	order_fini(&asking->order);
	json_unref(&asking->ending.output);
	free(asking->ending.message);
	free(asking);
}

/* A server's last words may repeat what it was given. */
static void
tell_refusal(struct attempt *attempt, const struct mcp_answer *failure)
{
	struct json *words =
	    answer_text(attempt, failure->message, strlen(failure->message));

	attempt_fail_until(attempt, &(struct attempt_failure){
					.code = failure->code,
					.message = json_str(words),
					.final = failure->final,
					.retry_at = failure->retry_at,
				    });
	json_unref(&words);
}

/* The tools are known now, or their server cannot be had. */
static void
on_offers(void *context, const struct mcp_answer *failure)
{
	struct asking *asking = context;

	if (failure != NULL) {
		asking->refused = true;
		tell_refusal(asking->attempt, failure);
		return;
	}
	if (order_read(&asking->order, asking->attempt))
		begin_session(asking);
	else
		asking->refused = true;
}

static bool
begin(struct asking *asking)
{
	struct attempt *attempt = asking->attempt;

	asking->offers =
	    offers_new(attempt, json_get(attempt->fields, "tools"), on_offers, asking);
	if (asking->offers != NULL)
		return true;
	if (!order_read(&asking->order, attempt))
		return false;
	begin_session(asking);
	return true;
}

static void *
model_start(struct attempt *attempt)
{
	struct asking *asking = xcalloc(1, sizeof *asking);

	asking->attempt = attempt;
	asking->patience = timer_new(attempt->services->loop, on_patience_over, asking);
	asking->began = asking->told_at = loop_mono(attempt->services->loop);
	if (begin(asking))
		return asking;
	timer_free(&asking->patience);
	order_fini(&asking->order);
	free(asking);
	return NULL;
}

/* True: there is no order yet, and nothing of it has to end. */
static bool
stop_early(struct asking *asking)
{
	if (asking->refused)
		return true;
	if (asking->order.models != NULL)
		return false;
	offers_free(&asking->offers);
	asking->refused = true;
	attempt_fail(asking->attempt, "stopped", false, "told to stop");
	return true;
}

/* A tool at work ends first. What is being stored is waited for, but not by force. */
static void
model_stop(void *state, enum stop how)
{
	struct asking *asking = state;

	asking->stopped = true;
	if (stop_early(asking))
		return;
	if (asking->tools != NULL) {
		tool_calls_stop(asking->tools, how);
		return;
	}
	model_call_free(&asking->call);
	if (!asking->ending.decided)
		fail(asking, "stopped", false, NULL, "told to stop");
	else if (how == STOP_FORCE && asking->storing) {
		pg_forget(asking->attempt->services->pg, asking);
		asking->storing = false;
		deliver(asking);
	}
}

const struct action action_model = {
	.name = "model",
	.start = model_start,
	.stop = model_stop,
	.free = model_free,
};
