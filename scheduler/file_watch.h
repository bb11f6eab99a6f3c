/*
 * One trigger that watches files: what the kernel tells of its folders (inotify), walks
 * over them where that is not enough, and which files are news. Nothing is stored here:
 * who asks stores what came, and says so.
 */
#ifndef SCHEDULER_FILE_WATCH_H
#define SCHEDULER_FILE_WATCH_H

#include "engine/workflow.h"
#include "file_watch_core.h"
#include "loop/loop.h"

#define FILE_WATCH_FOLDERS_MAX 8192   /* watched; past it only walks see changes */
#define FILE_WATCH_FILES_MAX   100000 /* known; past it new ones are left out */

struct file_watch;

struct file_watch_conf {
	struct loop *loop;
	const char *workflow;     /* its name, for the log */
	const char *project_path; /* absolute */
	loop_fn *wake;            /* something may be due */
	void *context;
	usec_t since; /* files that changed after that are news even where nothing was
			 known; USEC_NEVER: what is not known is news */
};

/* All is copied; the definition is held. place: of the trigger in it. */
struct file_watch *file_watch_new(const struct file_watch_conf *conf,
				  const struct workflow *workflow, int place);
void file_watch_free(struct file_watch **watch_p);
/* A newer version, in which the trigger is the same. */
void file_watch_update(struct file_watch *watch, const struct workflow *workflow,
		       int place);
const struct workflow *file_watch_workflow(const struct file_watch *watch);
const struct trigger_def *file_watch_trigger(const struct file_watch *watch);

/* As it was stored; before the first walk, and again when it turned out to be
 * otherwise.
 */
void file_watch_forget_files(struct file_watch *watch);
void file_watch_know(struct file_watch *watch, const char *path,
		     const struct file_seen *seen);
/* Walks over all of its folders, a piece in each turn of the loop. */
void file_watch_walk(struct file_watch *watch);
bool file_watch_is_walking(const struct file_watch *watch);
/* What was there in the beginning is known: from now on everything is news. */
void file_watch_begun(struct file_watch *watch);

struct file_change {
	char *path; /* the caller's */
	enum file_news news;
	struct file_seen seen; /* of what is there */
	bool starts;           /* a run; else it is only to be known */
};
/* When the next change may be due; USEC_NEVER: none waits. */
usec_t file_watch_due(const struct file_watch *watch);
/* Changes that are due, at most so many. */
size_t file_watch_take(struct file_watch *watch, struct file_change *changes,
		       size_t most);
/* It was stored, or it was not and is looked at again. */
void file_watch_noted(struct file_watch *watch, const struct file_change *change);
void file_watch_again(struct file_watch *watch, const struct file_change *change);

#endif
