/* git.log, git.diff, git.status, git.getCurrentBranch, git.getCurrentCommit: what git
 * knows, as JSON. */
#include <stdlib.h>
#include <string.h>

#include "actions/answer.h"
#include "base/xalloc.h"
#include "tools/git_core.h"
#include "tools/git_run.h"
#include "tools/tools.h"

/* The path of a step as a pathspec that means just this path, from the top of what git
 * was started in; without one the preset, or none. */
static int
add_path(struct git *git, const char *preset, const char **arguments, size_t *count)
{
	const char *path = preset;

	if (json_get(git->attempt->fields, "path") != NULL) {
		path = git_value(git, "path", NULL);
		if (path == NULL)
			return -1;
	}
	arguments[(*count)++] = "--";
	if (path != NULL)
		arguments[(*count)++] = path;
	return 0;
}

/* ---- log ---- */

static void
on_log(struct git *git, const struct program_end *end)
{
	struct buf bytes = { 0 };
	struct err err = { 0 };
	struct json *list;

	if (git_bytes(git, end, "ask for less by maxCount or range", &bytes)) {
		list = git_read_log(buf_text(&bytes), bytes.len, &err);
		if (list != NULL)
			attempt_succeed(git->attempt, list);
		else
			git_fail_err(git, &err);
	}
	buf_fini(&bytes);
}

static void *
log_start(struct attempt *attempt)
{
	const struct json *most = json_get(attempt->fields, "maxCount");
	struct git *git = git_new(attempt, "git.log");
	const char *range = git != NULL ? git_value(git, "range", "HEAD") : NULL;
	char *limit = xprintf("--max-count=%lld",
			      (long long)(most != NULL ? json_int(most) : 100));
	const char *arguments[10] = { "log", GIT_LOG_FORMAT, limit, range };
	size_t count = 4;

	/* "." would leave out merges, and commits that change no file */
	if (range != NULL && add_path(git, NULL, arguments, &count) == 0)
		git_run(git, on_log, NULL, arguments);
	free(limit);
	return git_started(git);
}

/* ---- diff ---- */

static void
on_stat(struct git *git, const struct program_end *end)
{
	struct buf bytes = { 0 };
	struct err err = { 0 };
	struct json *all;

	if (git_bytes(git, end, "ask for less by path or range", &bytes)) {
		all = git_read_numstat(buf_text(&bytes), bytes.len, &err);
		if (all != NULL)
			attempt_succeed(git->attempt, all);
		else
			git_fail_err(git, &err);
	}
	buf_fini(&bytes);
}

/* A text for people and models: a cut in it is no failure. */
static void
on_diff(struct git *git, const struct program_end *end)
{
	struct json *output = json_new_object();
	bool cut = false;

	json_set(output, "diff", answer_output(git->attempt, end->out, &cut));
	if (cut)
		json_set(output, "truncated", json_new_bool(true));
	attempt_succeed(git->attempt, output);
}

static void *
diff_start(struct attempt *attempt)
{
	bool stat = field_flag(attempt, "stat", false);
	struct git *git = git_new(attempt, "git.diff");
	const char *range = git != NULL ? git_value(git, "range", "HEAD") : NULL;
	const char *arguments[12] = { "diff", "--no-ext-diff", "--no-textconv",
				      "--no-renames" };
	size_t count = 4;

	if (stat) {
		arguments[count++] = "--numstat";
		arguments[count++] = "-z";
	}
	arguments[count++] = range;
	if (range != NULL && add_path(git, ".", arguments, &count) == 0)
		git_run(git, stat ? on_stat : on_diff, NULL, arguments);
	return git_started(git);
}

/* ---- status ---- */

static void
on_status(struct git *git, const struct program_end *end)
{
	struct buf bytes = { 0 };
	struct err err = { 0 };
	struct json *status;

	if (git_bytes(git, end, "is .gitignore complete?", &bytes)) {
		status = git_read_status(buf_text(&bytes), bytes.len, &err);
		if (status != NULL)
			attempt_succeed(git->attempt, status);
		else
			git_fail_err(git, &err);
	}
	buf_fini(&bytes);
}

static void *
status_start(struct attempt *attempt)
{
	struct git *git = git_new(attempt, "git.status");

	if (git != NULL)
		git_run(git, on_status, NULL,
			GIT_ARGS("status", "--porcelain=v2", "--branch", "-z",
				 "--untracked-files=all"));
	return git_started(git);
}

/* ---- branch and commit ---- */

static void
on_branch(struct git *git, const struct program_end *end)
{
	struct json *output;
	char *branch;

	if (end->exit_status > 1) { /* 1: no branch is checked out */
		git_fail(git, end);
		return;
	}
	branch = git_text(end);
	output = json_new_object();
	json_set(output, "branch", json_new_str(end->exit_status == 0 ? branch : NULL));
	attempt_succeed(git->attempt, output);
	free(branch);
}

static void *
branch_start(struct attempt *attempt)
{
	struct git *git = git_new(attempt, "git.getCurrentBranch");

	if (git != NULL)
		git_run_judged(git, on_branch, NULL,
			       GIT_ARGS("symbolic-ref", "--quiet", "--short", "HEAD"));
	return git_started(git);
}

static void
on_commit(struct git *git, const struct program_end *end)
{
	struct json *output = json_new_object();
	char *sha = git_text(end);

	json_set(output, "sha", json_new_str(sha));
	attempt_succeed(git->attempt, output);
	free(sha);
}

static void *
commit_start(struct attempt *attempt)
{
	struct git *git = git_new(attempt, "git.getCurrentCommit");

	if (git != NULL)
		git_run(git, on_commit, NULL,
			GIT_ARGS("rev-parse", "--verify", "HEAD"));
	return git_started(git);
}

#define GIT_TOOL(n, s)                                                                 \
	{                                                                              \
		.name = (n), .start = (s), .stop = git_stop, .free = git_free          \
	}

const struct action tool_git_log = GIT_TOOL("git.log", log_start);
const struct action tool_git_diff = GIT_TOOL("git.diff", diff_start);
const struct action tool_git_status = GIT_TOOL("git.status", status_start);
const struct action tool_git_current_branch =
    GIT_TOOL("git.getCurrentBranch", branch_start);
const struct action tool_git_current_commit =
    GIT_TOOL("git.getCurrentCommit", commit_start);
