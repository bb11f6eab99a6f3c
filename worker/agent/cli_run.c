/* The life of an agent's attempt. See cli_run.h; what it means is judge's (judge.h). */
#include "agent/cli_run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actions/answer.h"
#include "agent/assignment.h"
#include "agent/home.h"
#include "agent/judge.h"
#include "agent/keeping.h"
#include "agent/launch.h"
#include "agent/parser_core.h"
#include "agent/prompt_core.h"
#include "agent/resuming.h"
#include "agent/spending.h"
#include "base/xalloc.h"
#include "step_log.h"
#include "store/sessions.h"
#include "tools/holding.h"

#define TELL_EVERY USEC_SECOND
#define REPAIRS    1

struct cli_run {
	struct attempt *attempt;
	struct assignment assignment;
	struct home home;
	struct buf prompt; /* of the program at work */
	struct program *program;
	struct parser parser; /* of its output */
	struct resuming *resuming;
	struct keeping *keeping;
	struct uuid session;
	struct spending spending;
	struct timer *telling; /* of what it does, soon */
	char *external;        /* the agent's own id of the session, or NULL */
	char *file_path;       /* of the session's file, or NULL */
	int exit_code, repairs;
	bool has_exit;
	usec_t started_at, told_at; /* monotonic */
	unsigned news, told_news;   /* of the parser's: logged, told */
	bool storing, stopped, forced, has_session, closed, kept;
	bool over_budget;
	bool decided;
	struct judgement ending; /* kept until the end of the session is stored */
};

static void start(struct cli_run *run);
static void tell_soon(struct cli_run *run);

/* ---- the end ---- */

static struct json *
make_output(struct cli_run *run, struct json *text)
{
	struct json *output = json_new_object();
	struct usage_sum sum = spending_now(&run->spending, &run->parser.told);
	char id[UUID_TEXT];

	json_set(output, "text", text);
	json_set(output, "sessionId", json_new_str(uuid_format(&run->session, id)));
	json_set(output, "exitCode", json_new_int(run->exit_code));
	json_set(output, "usage", usage_json(&sum));
	return output;
}

static void
deliver(struct cli_run *run)
{
	struct judgement *ending = &run->ending;
	struct json *output = ending->output;
	struct json *details = NULL;

	ending->output = NULL;
	if (ending->good) {
		attempt_succeed(run->attempt,
				ending->is_text ? make_output(run, output) : output);
		return;
	}
	if (run->has_exit) {
		details = json_new_object();
		json_set(details, "exitCode", json_new_int(run->exit_code));
	}
	attempt_fail_until(run->attempt, &(struct attempt_failure){
					     .code = ending->code,
					     .message = ending->message,
					     .final = ending->final,
					     .details = details,
					     .output = output,
					 });
	json_unref(&details);
}

/* ---- the session ---- */

static void on_stored(void *context, const struct session_answer *answer,
		      const struct err *err);

static void
store(struct cli_run *run, const char *status, const char *activity, bool tell)
{
	const struct told *told = &run->parser.told;
	struct held_ref held = holding(run->attempt);
	struct json *usage = spending_json(&run->spending, told);

	run->storing = true;
	run->told_at = loop_mono(run->attempt->services->loop);
	sessions_update(
	    run->attempt->services->pg, &held,
	    &(struct session_now){
		.id = run->session,
		.status = status,
		.usage = usage,
		.model = told->model[0] != '\0' ? told->model : run->assignment.model,
		.activity = activity,
		.tell = tell,
		.external_id = run->external,
		.file_path = run->file_path,
		.has_exit = run->has_exit,
		.exit_code = run->exit_code,
	    },
	    on_stored, run);
	json_unref(&usage);
}

static void conclude(struct cli_run *run);

static void
on_kept(void *context, const char *path)
{
	struct cli_run *run = context;

	run->file_path = xstrdup(path);
	keeping_free(&run->keeping);
	conclude(run);
}

/* Its files are kept, the session ends, then the step. */
static void
conclude(struct cli_run *run)
{
	const char *external = run->external != NULL ? run->external : "";

	if (!run->has_session || run->closed) {
		deliver(run);
		return;
	}
	if (run->has_exit && !run->forced && !run->kept) {
		run->kept = true;
		run->keeping =
		    keeping_new(run->attempt, &run->home, run->assignment.agent,
				&run->session, external, on_kept, run);
		return;
	}
	run->closed = true;
	store(run,
	      run->ending.good ? "completed"
	      : run->stopped   ? "stopped"
			       : "failed",
	      NULL, true);
}

static void
on_stored(void *context, const struct session_answer *answer, const struct err *err)
{
	struct cli_run *run = context;

	run->storing = false;
	if (answer != NULL) {
		run->spending.before = answer->used;
		holding_ring(run->attempt, answer->seq);
	} else {
		step_log_printf(run->attempt->log, STEP_WARN,
				"what the agent does is not told: %s", err->text);
	}
	if (run->decided)
		conclude(run);
	else
		tell_soon(run);
}

static void
decide(struct cli_run *run, const struct judgement *judgement)
{
	run->decided = true;
	run->ending = *judgement;
	if (!run->storing)
		conclude(run);
}

static void
fail(struct cli_run *run, const char *code, bool final, const char *message)
{
	decide(run, &(struct judgement){
			.code = code,
			.final = final,
			.message = xstrdup(message),
		    });
}

/* ---- the program ---- */

static void
stop_over_budget(struct cli_run *run)
{
	struct buf why = { 0 };

	if (!run->over_budget &&
	    spending_is_over(&run->spending, &run->parser.told, &why)) {
		run->over_budget = true;
		step_log_printf(run->attempt->log, STEP_WARN,
				"the agent is stopped: %s", buf_text(&why));
		program_stop(run->program, STOP_FORCE);
	}
	buf_fini(&why);
}

/* Not more than once a second, and never two at once; the last one is told, too. */
static void
tell_soon(struct cli_run *run)
{
	usec_t now = loop_mono(run->attempt->services->loop);
	usec_t at = run->told_at + TELL_EVERY;

	if (run->decided || run->storing || run->told_news == run->news ||
	    timer_is_set(run->telling))
		return;
	timer_set(run->telling, at > now ? at - now : 0);
}

static void
on_telling(void *context)
{
	struct cli_run *run = context;
	const struct buf *activity = &run->parser.told.activity;
	struct json *text;

	if (run->decided || run->storing || run->told_news == run->news)
		return;
	run->told_news = run->news;
	text = answer_text(run->attempt, buf_text(activity), activity->len);
	store(run, "running", json_str(text), true);
	json_unref(&text);
}

static void
log_activity(const struct cli_run *run)
{
	const struct buf *activity = &run->parser.told.activity;
	struct json *text =
	    answer_text(run->attempt, buf_text(activity), activity->len);

	step_log_printf(run->attempt->log, STEP_INFO, "%s", json_str(text));
	json_unref(&text);
}

static void
on_heard(void *context, const char *data, size_t len)
{
	struct cli_run *run = context;
	const struct told *told = &run->parser.told;

	parser_feed(&run->parser, data, len);
	if (told->session[0] != '\0' && run->external == NULL)
		run->external = xstrdup(told->session);
	if (told->news == run->news)
		return;
	run->news = told->news;
	log_activity(run);
	stop_over_budget(run);
	tell_soon(run);
}

/* Told why, it may do better: in the same session where that can be gone on with. */
static void
repair(struct cli_run *run, const char *why)
{
	const struct buf *said = &run->parser.told.text;
	struct buf text = { 0 };

	step_log_printf(run->attempt->log, STEP_WARN,
			"the answer is of no use, the agent is told why: %s", why);
	run->repairs++;
	buf_add(&text, run->assignment.prompt.data, run->assignment.prompt.len);
	prompt_failure("output_schema", why, buf_text(said), true, &text);
	spending_end(&run->spending, &run->parser.told);
	buf_fini(&run->prompt);
	run->prompt = text;
	program_free(&run->program);
	parser_fini(&run->parser);
	start(run);
}

static void
log_end(const struct cli_run *run, const struct program_end *end)
{
	struct usage_sum sum = spending_now(&run->spending, &run->parser.told);
	usec_t now = loop_mono(run->attempt->services->loop);

	step_log_printf(
	    run->attempt->log, end->code == NULL ? STEP_INFO : STEP_WARN,
	    "%s ended after %lld ms with exit code %d: %lld tokens in, %lld "
	    "out",
	    run->assignment.agent->name, (long long)((now - run->started_at) / USEC_MS),
	    end->exit_status, (long long)sum.tokens.input,
	    (long long)sum.tokens.output);
	if (run->parser.lines.skipped > 0)
		step_log_printf(run->attempt->log, STEP_WARN,
				"%zu lines of more than 1 MiB were passed over",
				run->parser.lines.skipped);
}

static void
on_end(void *context, const struct program_end *end)
{
	struct cli_run *run = context;
	struct judgement judgement = { 0 };
	struct buf why = { 0 };

	parser_end(&run->parser);
	run->has_exit = end->started;
	run->exit_code = end->exit_status;
	if (run->parser.told.session[0] != '\0') {
		free(run->external);
		run->external = xstrdup(run->parser.told.session);
	}
	log_end(run, end);
	if (run->stopped) {
		fail(run, "stopped", false, "told to stop");
	} else if (run->over_budget) {
		spending_is_over(&run->spending, &run->parser.told, &why);
		fail(run, "budget_exceeded", true, buf_text(&why));
	} else {
		judge(run->attempt, run->assignment.agent->name, &run->parser, end,
		      &judgement);
		if (judgement.repairable && run->repairs < REPAIRS) {
			repair(run, judgement.message);
			judgement_fini(&judgement);
		} else {
			decide(run, &judgement);
		}
	}
	buf_fini(&why);
}

/* The next program, with the prompt in hand; it goes on with the session there is. */
static void
start(struct cli_run *run)
{
	const struct settings *settings = run->attempt->services->settings;
	struct buf why = { 0 };
	struct err err = { 0 };

	if (spending_is_over(&run->spending, &run->parser.told, &why)) {
		fail(run, "budget_exceeded", true, buf_text(&why));
		buf_fini(&why);
		return;
	}
	parser_init(&run->parser, run->assignment.agent->parser,
		    (size_t)settings->worker_output_max);
	run->news = run->told_news = 0;
	run->started_at = loop_mono(run->attempt->services->loop);
	run->program = launch(run->attempt,
			      &(struct launch){
				  .assignment = &run->assignment,
				  .home = &run->home,
				  .prompt = &run->prompt,
				  .session = run->external,
				  .heard = on_heard,
				  .done = on_end,
				  .context = run,
			      },
			      &err);
	if (run->program == NULL)
		fail(run,
		     err.kind == ERR_LIMIT ? "prompt_too_large"
					   : err_kind_name(err.kind),
		     answer_is_final(err.kind), err.text);
}

/* ---- before it ---- */

static void
on_resumed(void *context, const struct resumed *resumed)
{
	struct cli_run *run = context;

	if (resumed->external == NULL) {
		fail(run, resumed->code, resumed->final, resumed->message);
	} else {
		run->external = xstrdup(resumed->external);
		spending_resume(&run->spending, resumed->sums);
		start(run);
	}
	resuming_free(&run->resuming);
}

/* llm_self_correct: what it said the last time, and why that was of no use. */
static void
tell_failure(struct cli_run *run, const struct session_answer *answer)
{
	const char *code = json_str(json_get(answer->former_error, "code"));
	const char *why = json_str(json_get(answer->former_error, "message"));
	char *said;

	if (code == NULL)
		return;
	said = field_as_text(answer->former_output);
	prompt_failure(code, why != NULL ? why : code, said,
		       run->assignment.schema != NULL, &run->prompt);
	free(said);
}

static void
on_begun(void *context, const struct session_answer *answer, const struct err *err)
{
	struct cli_run *run = context;

	run->storing = false;
	run->has_session = answer != NULL;
	if (answer != NULL) {
		run->spending.before = answer->used;
		holding_ring(run->attempt, answer->seq);
	}
	if (run->decided) {
		conclude(run);
		return;
	}
	if (answer == NULL) {
		fail(run, err_kind_name(err->kind), false, err->text);
		return;
	}
	if (run->attempt->def->self_correct)
		tell_failure(run, answer);
	if (run->assignment.resume != NULL)
		run->resuming = resuming_new(run->attempt, &run->home,
					     run->assignment.agent, &run->session,
					     run->assignment.resume, on_resumed, run);
	else
		start(run);
}

static void
begin_session(struct cli_run *run)
{
	struct attempt *attempt = run->attempt;
	struct held_ref held = holding(attempt);
	char what[40];

	snprintf(what, sizeof what, "session:%d", attempt->fence);
	run->session = holding_id(attempt, what);
	run->storing = true;
	sessions_begin(attempt->services->pg, &held,
		       &(struct new_session){
			   .id = run->session,
			   .name = attempt->def->name,
			   .type = "cli",
			   .agent = run->assignment.agent->name,
			   .model = run->assignment.model,
		       },
		       on_begun, run);
}

struct cli_run *
cli_run_new(struct attempt *attempt)
{
	struct cli_run *run = xcalloc(1, sizeof *run);
	struct err err = { 0 };
	bool good;

	run->attempt = attempt;
	good = assignment_read(&run->assignment, attempt);
	if (good && home_init(&run->home, attempt, run->assignment.agent, &err) < 0) {
		answer_error(attempt, "HOME", &err);
		good = false;
	}
	if (!good) {
		cli_run_free(&run);
		return NULL;
	}
	buf_add(&run->prompt, run->assignment.prompt.data, run->assignment.prompt.len);
	run->spending.assignment = &run->assignment;
	run->telling = timer_new(attempt->services->loop, on_telling, run);
	run->told_at = loop_mono(attempt->services->loop);
	begin_session(run);
	return run;
}

/* ---- stop ---- */

/* What is being stored, or kept, is waited for, but not by force. */
static void
hurry(struct cli_run *run)
{
	run->forced = true;
	if (run->keeping != NULL) {
		keeping_free(&run->keeping);
		conclude(run);
	} else if (run->storing) {
		pg_forget(run->attempt->services->pg, run);
		run->storing = false;
		deliver(run);
	}
}

void
cli_run_stop(struct cli_run *run, enum stop how)
{
	if (run->decided) {
		if (how == STOP_FORCE)
			hurry(run);
		return;
	}
	run->stopped = true;
	if (run->program != NULL) {
		program_stop(run->program, how);
		return;
	}
	resuming_free(&run->resuming);
	fail(run, "stopped", false, "told to stop");
	if (how == STOP_FORCE && run->storing)
		hurry(run);
}

void
cli_run_free(struct cli_run **run_p)
{
	struct cli_run *run = *run_p;

	*run_p = NULL;
	if (run == NULL)
		return;
	pg_forget(run->attempt->services->pg, run);
	program_free(&run->program);
	resuming_free(&run->resuming);
	keeping_free(&run->keeping);
	timer_free(&run->telling);
	if (run->parser.format != NULL)
		parser_fini(&run->parser);
	home_fini(&run->home);
	assignment_fini(&run->assignment);
	judgement_fini(&run->ending);
	buf_fini(&run->prompt);
	free(run->external);
	free(run->file_path);
	free(run);
}
