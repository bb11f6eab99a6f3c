/*
 * A tool of git: one git command after the other, each as a child program, until the
 * tool answers. A command that cannot be run, or whose end the tool does not judge
 * itself, fails the attempt with git's own words.
 */
#ifndef TOOLS_GIT_RUN_H
#define TOOLS_GIT_RUN_H

#include "actions/action.h"
#include "program.h"

#define GIT_OUTPUT_MAX (8 * 1024 * 1024)

struct git;
typedef void git_next_fn(struct git *git, const struct program_end *end);

struct git {
	struct attempt *attempt;
	const char *tool;
	struct program *program;
	int folder; /* the repository's */
	git_next_fn *next;
	bool failed; /* the attempt has failed already */
	bool judges; /* next looks at the exit status itself */
	char *why;   /* of a command that failed: kept for later */
	char *branch, *sha, *remote;
	struct json *output; /* as it grows */
	struct http_call *call;
	struct buf reflog; /* GIT_REFLOG_ACTION=... of the next command */
};

/* NULL: the attempt has failed (no such folder). */
struct git *git_new(struct attempt *attempt, const char *tool);
void git_free(void *git);
void git_stop(void *git, enum stop how);

/* Runs git with these arguments (NULL-terminated); next gets its end, if it ended with
 * status 0, or judges. input: of its standard input, or NULL. */
void git_run(struct git *git, git_next_fn *next, const char *input,
	     const char *const *arguments);
void git_run_judged(struct git *git, git_next_fn *next, const char *input,
		    const char *const *arguments);
/* Fails with what the end says. */
void git_fail(struct git *git, const struct program_end *end);
void git_fail_err(struct git *git, const struct err *err);
/* Standard output without the last line's end; the caller's. */
char *git_text(const struct program_end *end);
/* All that it printed, as it came. False: it was too much, the attempt has failed. */
bool git_bytes(struct git *git, const struct program_end *end, const char *advice,
	       struct buf *out);
/* What a tool's start returns after its first command. */
void *git_started(struct git *git);

/* The value of a field that becomes an argument; preset when the step does not say.
 * NULL when it is refused: the attempt has failed. */
const char *git_value(struct git *git, const char *field, const char *preset);

#define GIT_ARGS(...) ((const char *const[]){ __VA_ARGS__, NULL })

#endif
