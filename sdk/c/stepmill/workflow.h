/*
 * Durable workflows written as C programs: link with libstepmill-workflow
 * (pkg-config stepmill-workflow) and name the program NAME.workflow.
 *
 *	static char *
 *	work(struct stepmill *run, void *data)
 *	{
 *		char *said = stepmill_shell(run, "date", NULL);
 *
 *		if (said == NULL)
 *			return NULL;
 *		stepmill_comment(run, "dated", NULL);
 *		return said;
 *	}
 *
 *	int
 *	main(void)
 *	{
 *		return stepmill_main(&(struct stepmill_workflow){ .name = "dated" },
 *				     work, NULL);
 *	}
 *
 * A step that has ended is never run again: when the program is run anew, after a crash
 * or a wait, its result comes from the record. So the program must ask for the same
 * steps in the same order each time; what changes (the clock, chance, the outside)
 * belongs into the function of a step.
 *
 * Values are JSON as text, UTF-8. Texts that calls return are the caller's, to be
 *freed. NULL, or -1, means that the call failed: stepmill_error says how. All calls
 *wait for their answer, and come from one thread. When the run waits for something that
 *takes long, a call does not come back: the process ends, and the program is run again
 *later.
 */
#ifndef STEPMILL_WORKFLOW_H
#define STEPMILL_WORKFLOW_H

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A run, as its program sees it. */
struct stepmill;

/* ---- the program ---- */

struct stepmill_workflow {
	const char *name;        /* small letters, digits, ".", "_", "-" */
	const char *description; /* or NULL */
	long long timeout_ms;    /* of the whole run; 0: 3600000, an hour */
	const char *input;       /* JSON Schema of what a run is given, or NULL */
	const char *more;        /* an object of further keys as in YAML, or NULL */
};

/* The workflow, or the function of a step. Returns its output as JSON, which is taken;
 * NULL: it failed, as the last call that failed or stepmill_fail says. */
typedef char *stepmill_fn(struct stepmill *run, void *data);

/* Runs the workflow, or only says what it is, as the engine wants; the exit status for
 * main. Started by hand it says on stderr how to run it. */
int stepmill_main(const struct stepmill_workflow *workflow, stepmill_fn *work,
		  void *data);

/* ---- what is known of the run; borrowed ---- */

const char *stepmill_execution_id(const struct stepmill *run);
const char *stepmill_run_id(const struct stepmill *run);
const char *stepmill_project_id(const struct stepmill *run);
const char *stepmill_project_path(const struct stepmill *run);
const char *stepmill_input(const struct stepmill *run); /* JSON */
/* True from a cancel (or the run's timeout) until the program is ended. */
bool stepmill_cancelled(struct stepmill *run);

/* ---- errors ---- */

enum stepmill_trouble {
	STEPMILL_FINE,       /* nothing failed */
	STEPMILL_FAILED,     /* a step failed; code and step are its own */
	STEPMILL_DIVERGENCE, /* not what is recorded: the program cannot go on */
	STEPMILL_CANCELLED,  /* the run is being ended: no new steps */
	STEPMILL_REFUSED,    /* the call is wrong, or past a limit of the engine */
};

struct stepmill_error {
	enum stepmill_trouble trouble;
	int step; /* its number; 0: none */
	char code[64];
	char message[512];
};

/* Of the newest call; borrowed, until the next call. */
const struct stepmill_error *stepmill_error(const struct stepmill *run);
/* Says why a function fails, and is NULL: return stepmill_fail(run, "no_data", "...").
 */
char *stepmill_fail(struct stepmill *run, const char *code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* ---- steps ---- */

/* All may be left out; NULL for none of them. */
struct stepmill_options {
	const char *name;     /* of the step; NULL: called by what it does */
	long long timeout_ms; /* of each attempt; 0: as in YAML */
	const char *retry; /* {"maxAttempts": 3, ...}; NULL: tried once. Not of waits */
	const char *more;  /* an object: further arguments, as in YAML */
};

/* A durable step: work runs at least once, its result is recorded once. */
char *stepmill_run(struct stepmill *run, const char *name, stepmill_fn *work,
		   void *data, const struct stepmill_options *options);
/* A tool: stepmill_tool(run, "git.commit", "{\"message\": \"done\"}", NULL). args: an
 * object, or NULL. */
char *stepmill_tool(struct stepmill *run, const char *tool, const char *args,
		    const struct stepmill_options *options);
/* {exitCode, stdout, stderr}; more: cwd, env, stdin. */
char *stepmill_shell(struct stepmill *run, const char *command,
		     const struct stepmill_options *options);
/* A coding agent of the configuration: {text, sessionId, exitCode, usage}; more: model,
 * workingDirectory, permissions, budget. name is the step's and the session's. */
char *stepmill_run_cli(struct stepmill *run, const char *name, const char *agent,
		       const char *prompt, const struct stepmill_options *options);
/* Any action that the engine does: http, model, agent, skill, code. */
char *stepmill_call(struct stepmill *run, const char *action, const char *fields,
		    const struct stepmill_options *options);

/* ---- waiting ---- */

int stepmill_sleep(struct stepmill *run, long long ms,
		   const struct stepmill_options *options);
/* The event, or null after the timeout; more: when. */
char *stepmill_wait_for_event(struct stepmill *run, const char *type,
			      const struct stepmill_options *options);
/* {approved, by, comment, at}; a denial fails with the code "denied"; more: onTimeout.
 */
char *stepmill_approval(struct stepmill *run, const char *prompt,
			const struct stepmill_options *options);
/* A run of another workflow: its output. input: an object, or NULL; more: wait. */
char *stepmill_child(struct stepmill *run, const char *workflow, const char *input,
		     const struct stepmill_options *options);

/* ---- what is kept ---- */

int stepmill_set(struct stepmill *run, const char *key, const char *value);
/* NULL and STEPMILL_FINE: there is none. */
char *stepmill_get(struct stepmill *run, const char *key);
int stepmill_has(struct stepmill *run, const char *key); /* 1, 0, or -1 */
int stepmill_delete(struct stepmill *run, const char *key);
/* metadata: an object, or NULL. */
int stepmill_comment(struct stepmill *run, const char *message, const char *metadata);
int stepmill_comment_execution(struct stepmill *run, const char *message,
			       const char *metadata);
/* A file of the project, kept with the run. options: {name, type, mimeType,
 * description}, or NULL. */
int stepmill_artifact(struct stepmill *run, const char *path, const char *options);
/* level: trace, debug, info, warn, error or fatal. */
void stepmill_log(struct stepmill *run, const char *level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* ---- JSON without a library ---- */

/* JSON from a pattern, the caller's: %s a text, quoted and escaped (NULL: null), %j
 * JSON as it is, %d int, %l long long, %f double, %b true or false, %% a percent sign:
 * stepmill_json("{\"who\": %s, \"times\": %d}", who, 3). */
char *stepmill_json(const char *pattern, ...);
/* A member by its path ("files.0.name"), as JSON, the caller's; NULL: there is none, or
 * json is no JSON. */
char *stepmill_member(const char *json, const char *path);
/* The same as plain text: a string without its quotes, else JSON. path may be "". */
char *stepmill_text(const char *json, const char *path);

#ifdef __cplusplus
}
#endif

#endif
