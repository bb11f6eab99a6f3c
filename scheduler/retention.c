/*
 * One batch at a time: find runs, remove their files, then their rows. A pass is all
 * batches from the oldest run to the first one that is kept; its place moves past runs
 * that may not go yet, so that these stand in nobody's way. A project whose files
 * cannot be removed is passed by until the next pass.
 */
#include "retention.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/point.h"
#include "base/xalloc.h"
#include "files/run_folder.h"
#include "removal.h"
#include "store/retention.h"

#define BATCH_RUNS    REMOVAL_MOST
#define BATCH_FIRINGS 500
#define PAUSE         (200 * USEC_MS) /* after a batch, or as long as it took */
#define PASS_EVERY    (5 * USEC_SECOND)
#define PASS_MAX      (600 * USEC_SECOND)
#define REST          10 /* times as long as a pass took */
#define AFTER_FAILURE (10 * USEC_SECOND)

struct run {
	struct uuid id, project;
	char *project_path, *folder;
	bool goes;
};

/* A project that is passed by. */
struct aside {
	struct uuid project;
	bool now; /* in this pass; else it was in the one before */
};

struct retention {
	struct loop *loop;
	struct retention_conf conf;
	struct pg *pg; /* NULL: everything is kept */
	bool up, stopped, busy, asking, failing;
	usec_t due, begun_at;
	usec_t pass_begun_at; /* 0: not yet */
	/* the pass */
	bool of_runs; /* else of the ledger */
	bool has_place, again;
	struct old_place place;
	usec_t firings_from;
	struct aside *asides;
	size_t asides_count;
	/* the batch */
	struct run runs[BATCH_RUNS];
	size_t count;
	struct removal *removal;
	size_t removing[BATCH_RUNS]; /* which run each folder is of */
	size_t removing_count;
};

static void
note_result(struct retention *retention, const struct err *err)
{
	bool failed = err->kind != ERR_NONE;

	if (failed && !retention->failing)
		log_warn("retention.failed", F_STR("why", err->text));
	if (!failed && retention->failing)
		log_info("retention.recovered", F_INT("count", retention->count));
	retention->failing = failed;
}

/* ---- projects that are passed by ---- */

static struct aside *
find_aside(struct retention *retention, const struct uuid *project)
{
	for (size_t i = 0; i < retention->asides_count; i++)
		if (uuid_equal(&retention->asides[i].project, project))
			return &retention->asides[i];
	return NULL;
}

static bool
is_aside(struct retention *retention, const struct uuid *project)
{
	const struct aside *aside = find_aside(retention, project);

	return aside != NULL && aside->now;
}

/* Said once, as long as it lasts. */
static void
set_aside(struct retention *retention, const struct run *run, const char *why)
{
	struct aside *aside = find_aside(retention, &run->project);

	if (aside == NULL) {
		log_warn("retention.passes_by", F_UUID("project", &run->project),
			 F_STR("path", run->project_path), F_UUID("run", &run->id),
			 F_STR("why", why));
		retention->asides =
		    xrealloc(retention->asides, retention->asides_count + 1,
			     sizeof *retention->asides);
		aside = &retention->asides[retention->asides_count++];
		aside->project = run->project;
	}
	aside->now = true;
}

/* Those that were in no one's way in this pass are forgotten. */
static void
next_asides(struct retention *retention)
{
	size_t kept = 0;

	for (size_t i = 0; i < retention->asides_count; i++)
		if (retention->asides[i].now)
			retention->asides[kept++] =
			    (struct aside){ retention->asides[i].project, false };
	retention->asides_count = kept;
}

/* ---- the pass ---- */

static void
forget_batch(struct retention *retention)
{
	for (size_t i = 0; i < retention->count; i++) {
		free(retention->runs[i].project_path);
		free(retention->runs[i].folder);
	}
	retention->count = retention->removing_count = 0;
}

static void
begin_pass(struct retention *retention)
{
	retention->of_runs = true;
	retention->has_place = retention->again = false;
	retention->pass_begun_at = 0;
	retention->firings_from = 0;
}

static void
come_back(struct retention *retention, usec_t delay)
{
	forget_batch(retention);
	retention->busy = false;
	retention->due = loop_mono(retention->loop) + delay;
	retention->conf.wake(retention->conf.context);
}

/* The database is not ours alone: we rest as long as a batch took. */
static void
pause_batch(struct retention *retention)
{
	usec_t took = loop_mono(retention->loop) - retention->begun_at;

	come_back(retention, took > PAUSE ? took : PAUSE);
}

static void
fail(struct retention *retention, const struct err *err)
{
	note_result(retention, err);
	begin_pass(retention);
	come_back(retention, AFTER_FAILURE);
}

/* Runs whose parent just went may go now; and so may others under another setting. */
static void
end_pass(struct retention *retention)
{
	usec_t took = loop_mono(retention->loop) - retention->pass_begun_at;
	usec_t rest = took * REST > PASS_EVERY ? took * REST : PASS_EVERY;
	bool again = retention->again;

	next_asides(retention);
	begin_pass(retention);
	if (again)
		pause_batch(retention);
	else
		come_back(retention, rest < PASS_MAX ? rest : PASS_MAX);
}

/* ---- the ledger ---- */

static void
on_firings(void *context, size_t seen, size_t gone, usec_t last, const struct err *err)
{
	struct retention *retention = context;
	bool ends = seen < BATCH_FIRINGS || last == retention->firings_from;

	retention->asking = false;
	if (err->kind != ERR_NONE) {
		fail(retention, err);
		return;
	}
	note_result(retention, err);
	if (gone > 0)
		log_info("firings.expired", F_INT("count", gone));
	retention->firings_from = last;
	if (ends)
		end_pass(retention);
	else
		pause_batch(retention);
}

/* ---- runs: their rows ---- */

static void
end_batch(struct retention *retention)
{
	if (retention->count < BATCH_RUNS)
		retention->of_runs = false;
	pause_batch(retention);
}

static void
on_expired(void *context, size_t gone, const struct err *err)
{
	struct retention *retention = context;

	retention->asking = false;
	if (err->kind != ERR_NONE) {
		fail(retention, err);
		return;
	}
	note_result(retention, err);
	log_info("runs.expired", F_INT("count", gone));
	retention->again |= gone > 0;
	end_batch(retention);
}

static void
remove_rows(struct retention *retention)
{
	struct uuid ids[BATCH_RUNS];
	size_t count = 0;

	POINT("retention.files_gone");
	for (size_t i = 0; i < retention->count; i++)
		if (retention->runs[i].goes)
			ids[count++] = retention->runs[i].id;
	if (count == 0 || retention->stopped ||
	    !retention->conf.may_act(retention->conf.context) ||
	    retention->pg == NULL) {
		end_batch(retention);
		return;
	}
	retention->asking = true;
	runs_expire(retention->pg, retention->conf.kept, ids, count, on_expired,
		    retention);
}

/* ---- runs: their files ---- */

static void
on_removed(void *context, const struct removal_result *results, size_t count)
{
	struct retention *retention = context;

	for (size_t i = 0; i < count; i++) {
		struct run *run = &retention->runs[retention->removing[i]];

		run->goes = results[i].gone;
		if (!run->goes)
			set_aside(retention, run, results[i].why);
	}
	removal_free(&retention->removal);
	remove_rows(retention);
}

static void
remove_files(struct retention *retention)
{
	struct removal_folder folders[BATCH_RUNS];
	size_t count = 0;

	for (size_t i = 0; i < retention->count; i++) {
		const struct run *run = &retention->runs[i];

		if (!run->goes || run->project_path[0] == '\0')
			continue;
		folders[count] =
		    (struct removal_folder){ run->project_path, run->folder };
		retention->removing[count++] = i;
	}
	if (count == 0)
		remove_rows(retention);
	else
		retention->removal =
		    removal_new(retention->loop, folders, count, on_removed, retention);
}

/* ---- runs: which ---- */

static void
keep_run(struct retention *retention, const struct old_run *old)
{
	struct run *run = &retention->runs[retention->count++];

	*run = (struct run){
		.id = old->id,
		.project = old->project,
		.project_path = xstrdup(old->project_path),
		.folder = run_folder_path(&old->id),
		.goes = old->may_go && !is_aside(retention, &old->project),
	};
	retention->place = (struct old_place){ old->completed_at, old->id };
	retention->has_place = true;
}

static void
on_old(void *context, const struct old_run *runs, size_t count, const struct err *err)
{
	struct retention *retention = context;

	retention->asking = false;
	if (err->kind != ERR_NONE) {
		fail(retention, err);
		return;
	}
	note_result(retention, err);
	for (size_t i = 0; i < count && i < BATCH_RUNS; i++)
		keep_run(retention, &runs[i]);
	remove_files(retention);
}

usec_t
retention_tick(struct retention *retention, usec_t now)
{
	if (retention->pg == NULL || !retention->up || retention->busy ||
	    retention->stopped)
		return USEC_NEVER;
	if (now < retention->due)
		return retention->due;
	retention->busy = retention->asking = true;
	retention->begun_at = now;
	if (retention->pass_begun_at == 0)
		retention->pass_begun_at = now;
	if (retention->of_runs)
		runs_expired(retention->pg, retention->conf.kept,
			     retention->has_place ? &retention->place : NULL,
			     BATCH_RUNS, on_old, retention);
	else
		schedule_firings_expire(retention->pg, retention->conf.kept,
					retention->firings_from, BATCH_FIRINGS,
					on_firings, retention);
	return USEC_NEVER;
}

/* ---- life ---- */

static void
on_state(void *context, bool up)
{
	struct retention *retention = context;

	retention->up = up;
	retention->conf.wake(retention->conf.context);
}

static int
open_pg(struct retention *retention, struct err *err)
{
	struct pg_conf pg = { .url = retention->conf.url,
			      .application = "stepmill scheduler retention",
			      .statement_timeout = retention->conf.statement_timeout,
			      .on_state = on_state,
			      .context = retention };

	if (retention->conf.kept == 0 || retention->pg != NULL)
		return 0;
	retention->pg = pg_new(retention->loop, &pg, err);
	return retention->pg != NULL ? 0 : -1;
}

struct retention *
retention_new(struct loop *loop, const struct retention_conf *conf, struct err *err)
{
	struct retention *retention = xcalloc(1, sizeof *retention);

	retention->loop = loop;
	retention->conf = *conf;
	begin_pass(retention);
	if (open_pg(retention, err) < 0)
		retention_free(&retention);
	return retention;
}

void
retention_free(struct retention **retention_p)
{
	struct retention *retention = *retention_p;

	if (retention == NULL)
		return;
	*retention_p = NULL;
	pg_free(&retention->pg);
	removal_free(&retention->removal);
	forget_batch(retention);
	free(retention->asides);
	free(retention);
}

static void
close_pg(struct retention *retention)
{
	pg_free(&retention->pg);
	retention->up = false;
	if (!retention->asking)
		return; /* files on their way go all the same */
	retention->asking = false;
	come_back(retention, 0);
}

int
retention_set_kept(struct retention *retention, usec_t kept, struct err *err)
{
	if (kept == retention->conf.kept)
		return 0;
	retention->conf.kept = kept;
	retention->due = loop_mono(retention->loop);
	if (retention->busy)
		retention->again = true;
	else
		begin_pass(retention);
	if (kept == 0)
		close_pg(retention);
	retention->conf.wake(retention->conf.context);
	return open_pg(retention, err);
}

void
retention_stop(struct retention *retention)
{
	retention->stopped = true;
}

bool
retention_busy(const struct retention *retention)
{
	return retention->asking;
}
