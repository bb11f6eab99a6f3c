/* Finding a session, and putting its files back. See resuming.h. */
#include "agent/resuming.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "actions/answer.h"
#include "agent/copying.h"
#include "agent/keeping.h"
#include "base/xalloc.h"
#include "files/path_core.h"
#include "step_log.h"
#include "store/sessions.h"

struct resuming {
	const struct attempt *attempt;
	const struct home *home;
	const struct agent *agent;
	char *text, *external;
	struct json *files; /* [{path, home}] */
	struct json *sums;
	size_t at;
	struct copying *copying;
	struct timer *timer;
	resumed_fn *done;
	void *context;
};

void
resuming_free(struct resuming **resuming_p)
{
	struct resuming *resuming = *resuming_p;

	*resuming_p = NULL;
	if (resuming == NULL)
		return;
	pg_forget(resuming->attempt->services->pg, resuming);
	copying_free(&resuming->copying);
	timer_free(&resuming->timer);
	json_unref(&resuming->files);
	json_unref(&resuming->sums);
	free(resuming->text);
	free(resuming->external);
	free(resuming);
}

static void
fail(struct resuming *resuming, const char *code, bool final, const char *message)
{
	resuming->done(resuming->context, &(struct resumed){
					      .code = code,
					      .message = message,
					      .final = final,
					  });
}

/* ---- its files ---- */

static void
lost(struct resuming *resuming, const struct err *err)
{
	char *message =
	    xprintf("what was kept of the session \"%.100s\" is of no use: %s",
		    resuming->text, err->text);

	fail(resuming, "session_lost", true, message);
	free(message);
}

static void
on_copied(void *context, const struct copied *copied, const struct err *err)
{
	struct resuming *resuming = context;

	copying_free(&resuming->copying);
	if (copied == NULL) {
		lost(resuming, err);
		return;
	}
	resuming->at++;
	timer_set(resuming->timer, 0);
}

/* Paths are what keeping.c wrote, but other programs can write artifacts, too. */
static int
begin_copy(struct resuming *resuming, const struct json *file, struct err *err)
{
	const struct json *path = json_get(file, "path"),
			  *home = json_get(file, "home");
	const char *project = resuming->attempt->project_path;
	struct new_file to = { .fd = -1, .folder = -1 };
	struct buf source = { 0 }, target = { 0 };
	int from = -1, result = -1;

	if (json_str(path) == NULL || json_str(home) == NULL)
		err_set(err, ERR_INPUT, "it does not say where it was");
	else if (path_clean(project, json_str(path), json_str_len(path), &source,
			    err) == 0 &&
		 path_clean(NULL, json_str(home), json_str_len(home), &target, err) ==
		     0)
		from = files_open(project, buf_text(&source), O_RDONLY, err);
	if (from >= 0)
		result = home_open_new(resuming->home, buf_text(&target), &to, err);
	if (result == 0)
		resuming->copying =
		    copying_new(resuming->attempt->services->loop, from, &to,
				SESSION_FILE_MAX, on_copied, resuming);
	else if (from >= 0)
		close(from);
	new_file_fini(&to);
	buf_fini(&source);
	buf_fini(&target);
	return result;
}

static void
on_turn(void *context)
{
	struct resuming *resuming = context;
	struct err err = { 0 };

	if (resuming->at < json_count(resuming->files)) {
		if (begin_copy(resuming, json_at(resuming->files, resuming->at), &err) <
		    0)
			lost(resuming, &err);
		return;
	}
	step_log_printf(resuming->attempt->log, STEP_INFO,
			"takes up the session %s again", resuming->external);
	resuming->done(resuming->context,
		       &(struct resumed){ .external = resuming->external,
					  .sums = resuming->sums });
}

/* ---- the session ---- */

static void
on_found(void *context, const struct session_row *row, const struct err *err)
{
	struct resuming *resuming = context;
	char *message;

	if (row != NULL) {
		resuming->external = xstrdup(row->external_id);
		resuming->files = json_ref(row->files);
		resuming->sums = json_ref(row->sums);
		timer_set(resuming->timer, 0);
		return;
	}
	if (err->kind != ERR_NONE) {
		fail(resuming, err_kind_name(err->kind), answer_is_final(err->kind),
		     err->text);
		return;
	}
	message = xprintf("resume: neither the run nor its project has a session "
			  "\"%.100s\" of %s that ended",
			  resuming->text, resuming->agent->name);
	fail(resuming, "no_session", true, message);
	free(message);
}

struct resuming *
resuming_new(const struct attempt *attempt, const struct home *home,
	     const struct agent *agent, const struct uuid *self, const char *text,
	     resumed_fn *done, void *context)
{
	struct resuming *resuming = xcalloc(1, sizeof *resuming);

	resuming->attempt = attempt;
	resuming->home = home;
	resuming->agent = agent;
	resuming->text = xstrdup(text);
	resuming->done = done;
	resuming->context = context;
	resuming->timer = timer_new(attempt->services->loop, on_turn, resuming);
	sessions_find(attempt->services->pg,
		      &(struct session_search){
			  .run = attempt->run,
			  .self = *self,
			  .agent = agent->name,
			  .text = text,
		      },
		      on_found, resuming);
	return resuming;
}
