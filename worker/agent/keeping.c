/* Session files as artifacts, one after the other. See keeping.h. */
#include "agent/keeping.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/copying.h"
#include "base/xalloc.h"
#include "files/path_core.h"
#include "step_log.h"
#include "store/artifacts.h"
#include "tools/holding.h"
#include "tools/media_core.h"

#define FILE_NAME_MOST 120
#define ID_SHOWN       12 /* letters of the session's id in a file's name */

struct keeping {
	const struct attempt *attempt;
	char *home;
	struct uuid session;
	struct texts files; /* in HOME */
	size_t at;
	struct copying *copying;
	char *path; /* of the one in hand, in the project */
	char *first;
	struct timer *timer;
	kept_fn *done;
	void *context;
};

static void begin(struct keeping *keeping);

void
keeping_free(struct keeping **keeping_p)
{
	struct keeping *keeping = *keeping_p;

	*keeping_p = NULL;
	if (keeping == NULL)
		return;
	pg_forget(keeping->attempt->services->pg, keeping);
	copying_free(&keeping->copying);
	timer_free(&keeping->timer);
	home_files_free(&keeping->files);
	free(keeping->home);
	free(keeping->path);
	free(keeping->first);
	free(keeping);
}

static void
next(struct keeping *keeping)
{
	free(keeping->path);
	keeping->path = NULL;
	keeping->at++;
	timer_set(keeping->timer, 0);
}

static void
not_kept(struct keeping *keeping, const struct err *err)
{
	step_log_printf(keeping->attempt->log, STEP_WARN,
			"the session's file %s is not kept: %s",
			keeping->files.list[keeping->at], err->text);
	next(keeping);
}

/* ---- the row ---- */

static void
on_added(void *context, int64_t seq, const struct err *err)
{
	struct keeping *keeping = context;

	if (err->kind != ERR_NONE) {
		not_kept(keeping, err);
		return;
	}
	holding_ring(keeping->attempt, seq);
	if (keeping->first == NULL)
		keeping->first = xstrdup(keeping->path);
	next(keeping);
}

static void
on_copied(void *context, const struct copied *copied, const struct err *err)
{
	struct keeping *keeping = context;
	const char *home = keeping->files.list[keeping->at];
	struct held_ref held = holding(keeping->attempt);
	struct json *metadata;
	char what[60];

	if (copied == NULL) {
		copying_free(&keeping->copying);
		not_kept(keeping, err);
		return;
	}
	metadata = json_new_object();
	json_set(metadata, "home", json_new_str(home));
	snprintf(what, sizeof what, "session:%d:file:%zu", keeping->attempt->fence,
		 keeping->at);
	artifacts_insert(keeping->attempt->services->pg, &held,
			 &(struct new_artifact){
			     .id = holding_id(keeping->attempt, what),
			     .of_step = true,
			     .name = path_name(home),
			     .type = "SESSION_FILE",
			     .path = keeping->path,
			     .mime_type = media_type(home),
			     .sha256 = copied->sha256,
			     .size = copied->size,
			     .metadata = metadata,
			     .session = &keeping->session,
			 },
			 on_added, keeping);
	json_unref(&metadata);
	copying_free(&keeping->copying);
}

/* ---- the copy ---- */

/* artifacts/STEP/session-ID-NAME in the run's folder: sessions of several attempts, and
 * of one step, lie side by side. */
static char *
place_of(const struct keeping *keeping, const char *home)
{
	struct buf path = { 0 };
	char id[UUID_TEXT];

	uuid_format(&keeping->session, id);
	buf_printf(&path, "%s/artifacts/%d/session-%s-", keeping->attempt->run_folder,
		   keeping->attempt->number, id + strlen(id) - ID_SHOWN);
	path_safe_name(path_name(home), FILE_NAME_MOST, &path);
	return buf_take(&path);
}

static int
open_new(const struct keeping *keeping, struct new_file *to, struct err *err)
{
	const char *project = keeping->attempt->project_path;
	char *folder = xstrndup(keeping->path,
				(size_t)(path_name(keeping->path) - keeping->path - 1));
	int fd = files_make_folder(project, folder, FILES_RUN_MODE, err);

	free(folder);
	if (fd < 0)
		return -1;
	close(fd);
	return new_file_open(to, project, keeping->path, 0640, err);
}

static void
begin(struct keeping *keeping)
{
	const char *home = keeping->files.list[keeping->at];
	struct new_file to = { .fd = -1, .folder = -1 };
	struct err err = { 0 };
	int from = files_open(keeping->home, home, O_RDONLY, &err);

	keeping->path = place_of(keeping, home);
	if (from >= 0 && open_new(keeping, &to, &err) == 0) {
		keeping->copying =
		    copying_new(keeping->attempt->services->loop, from, &to,
				SESSION_FILE_MAX, on_copied, keeping);
		return;
	}
	new_file_fini(&to);
	if (from >= 0)
		close(from);
	not_kept(keeping, &err);
}

static void
on_turn(void *context)
{
	struct keeping *keeping = context;

	if (keeping->at < keeping->files.count)
		begin(keeping);
	else
		keeping->done(keeping->context, keeping->first);
}

struct keeping *
keeping_new(const struct attempt *attempt, const struct home *home,
	    const struct agent *agent, const struct uuid *session, const char *external,
	    kept_fn *done, void *context)
{
	struct keeping *keeping = xcalloc(1, sizeof *keeping);

	keeping->attempt = attempt;
	keeping->home = xstrdup(home->path);
	keeping->session = *session;
	keeping->done = done;
	keeping->context = context;
	home_find(home, &agent->session_files, external, &keeping->files);
	keeping->timer = timer_new(attempt->services->loop, on_turn, keeping);
	timer_set(keeping->timer, 0);
	return keeping;
}
