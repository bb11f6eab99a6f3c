/*
 * git.ensureBranch, git.stageAll, git.commit, git.push: what changes a repository. Each
 * may be repeated after its worker was lost: a branch that is there, a commit that this
 * step made already, a push of the same commit are no failures.
 */
#include <stdlib.h>
#include <string.h>

#include "actions/answer.h"
#include "base/xalloc.h"
#include "store/run_facts.h"
#include "tools/git_core.h"
#include "tools/git_run.h"
#include "tools/holding.h"
#include "tools/tools.h"

/* ---- answers that also say something about the run ---- */

static void
on_facts(void *context, const struct err *err)
{
	struct git *git = context;
	struct json *output = git->output;

	if (err->kind != ERR_NONE) {
		git_fail_err(git, err);
		return;
	}
	git->output = NULL;
	attempt_succeed(git->attempt, output);
}

static void
succeed_with_facts(struct git *git, const struct run_facts *facts)
{
	struct pg *pg = git->attempt->services->pg;
	struct held_ref held = holding(git->attempt);
	struct err none = { 0 };

	if (pg != NULL)
		run_facts_set(pg, &held, facts, on_facts, git);
	else /* a worker has one; somebody who tries a tool alone may not */
		on_facts(git, &none);
}

/* ---- ensureBranch ---- */

static void
on_branch_ready(struct git *git, const struct program_end *end)
{
	struct run_facts facts = { .branch = git->branch };

	(void)end;
	succeed_with_facts(git, &facts);
}

static void
on_branch_looked_up(struct git *git, const struct program_end *end)
{
	bool exists = end->exit_status == 0;
	const char *base = git_value(git, "base", "HEAD");

	if (base == NULL)
		return;
	git->output = json_new_object();
	json_set(git->output, "branch", json_new_str(git->branch));
	json_set(git->output, "created", json_new_bool(!exists));
	if (exists)
		git_run(git, on_branch_ready, NULL,
			GIT_ARGS("checkout", "--quiet", git->branch, "--"));
	else if (json_get(git->attempt->fields, "base") == NULL)
		/* Also before the first commit. */
		git_run(git, on_branch_ready, NULL,
			GIT_ARGS("checkout", "--quiet", "-b", git->branch));
	else
		git_run(git, on_branch_ready, NULL,
			GIT_ARGS("checkout", "--quiet", "--no-track", "-b", git->branch,
				 base, "--"));
}

static void
on_branch_valid(struct git *git, const struct program_end *end)
{
	char *ref;

	if (end->exit_status != 0) {
		attempt_fail(git->attempt, "input", true,
			     "git.ensureBranch: \"%.200s\" is no name of a branch",
			     git->branch);
		return;
	}
	ref = xprintf("refs/heads/%s", git->branch);
	git_run_judged(git, on_branch_looked_up, NULL,
		       GIT_ARGS("show-ref", "--verify", "--quiet", ref));
	free(ref);
}

static void *
ensure_start(struct attempt *attempt)
{
	struct git *git = git_new(attempt, "git.ensureBranch");
	const char *name = git != NULL ? git_value(git, "name", "") : NULL;

	if (name != NULL) {
		git->branch = xstrdup(name);
		git_run_judged(git, on_branch_valid, NULL,
			       GIT_ARGS("check-ref-format", "--branch", name));
	}
	return git_started(git);
}

/* ---- stageAll ---- */

static void
on_staged_names(struct git *git, const struct program_end *end)
{
	struct buf bytes = { 0 };
	struct json *output;

	if (git_bytes(git, end, "is .gitignore complete?", &bytes)) {
		output = json_new_object();
		json_set(output, "files", git_read_names(buf_text(&bytes), bytes.len));
		attempt_succeed(git->attempt, output);
	}
	buf_fini(&bytes);
}

static void
on_staged(struct git *git, const struct program_end *end)
{
	(void)end;
	git_run(git, on_staged_names, NULL,
		GIT_ARGS("diff", "--cached", "--name-only", "--no-renames", "-z"));
}

static void *
stage_start(struct attempt *attempt)
{
	struct git *git = git_new(attempt, "git.stageAll");

	if (git != NULL)
		git_run(git, on_staged, NULL, GIT_ARGS("add", "--all"));
	return git_started(git);
}

/* ---- commit ---- */

/* What a commit of this step leaves in the branch's log, to be known again by. */
static char *
mark_of(const struct git *git)
{
	return xprintf("stepmill %s", git->attempt->idempotency_key);
}

static void
on_commit_branch(struct git *git, const struct program_end *end)
{
	struct run_facts facts = { .commit = git->sha };
	char *branch = git_text(end);

	git->output = json_new_object();
	json_set(git->output, "sha", json_new_str(git->sha));
	json_set(git->output, "branch",
		 json_new_str(end->exit_status == 0 ? branch : NULL));
	json_set(git->output, "message",
		 json_ref(json_get(git->attempt->fields, "message")));
	free(branch);
	succeed_with_facts(git, &facts);
}

static void
on_commit_sha(struct git *git, const struct program_end *end)
{
	git->sha = git_text(end);
	git_run_judged(git, on_commit_branch, NULL,
		       GIT_ARGS("symbolic-ref", "--quiet", "--short", "HEAD"));
}

/* Nothing to commit: was it this step that committed it, in an attempt that was lost?
 */
static void
on_commit_log(struct git *git, const struct program_end *end)
{
	char *mark = mark_of(git), *text = git_text(end);
	bool ours = end->exit_status == 0 && strncmp(text, mark, strlen(mark)) == 0;

	free(mark);
	free(text);
	if (ours)
		git_run(git, on_commit_sha, NULL,
			GIT_ARGS("rev-parse", "--verify", "HEAD"));
	else
		attempt_fail(git->attempt, "nothing_to_commit", true,
			     "git.commit: nothing is staged%s",
			     field_flag(git->attempt, "all", false)
				 ? " or changed"
				 : "; `all: true` takes what is changed, git.stageAll "
				   "new files too");
}

/* Why did it fail: for want of changes, or (a hook) for what git said? */
static void
on_commit_status(struct git *git, const struct program_end *end)
{
	struct buf bytes = { 0 };
	struct err err = { 0 };
	struct json *status = NULL;
	bool nothing;

	if (!git_bytes(git, end, "is .gitignore complete?", &bytes))
		goto out;
	status = git_read_status(buf_text(&bytes), bytes.len, &err);
	if (status == NULL) {
		git_fail_err(git, &err);
		goto out;
	}
	nothing = json_count(json_get(status, "staged")) == 0 &&
		  (!field_flag(git->attempt, "all", false) ||
		   json_count(json_get(status, "modified")) == 0);
	if (nothing)
		git_run_judged(
		    git, on_commit_log, NULL,
		    GIT_ARGS("log", "--walk-reflogs", "-1", "--format=%gs", "HEAD"));
	else
		attempt_fail(git->attempt, "exit_status", false, "%s", git->why);
out:
	json_unref(&status);
	buf_fini(&bytes);
}

static void
on_committed(struct git *git, const struct program_end *end)
{
	if (end->exit_status == 0) {
		git_run(git, on_commit_sha, NULL,
			GIT_ARGS("rev-parse", "--verify", "HEAD"));
		return;
	}
	git->why = xstrdup(end->why);
	git_run(git, on_commit_status, NULL,
		GIT_ARGS("status", "--porcelain=v2", "-z", "--untracked-files=no"));
}

static void *
commit_start(struct attempt *attempt)
{
	const char *message = field_text(attempt, "message", "");
	struct git *git = git_new(attempt, "git.commit");
	bool all = field_flag(attempt, "all", false);
	char *mark;

	if (git == NULL)
		return NULL;
	mark = mark_of(git);
	buf_printf(&git->reflog, "GIT_REFLOG_ACTION=%s", mark);
	free(mark);
	git_run_judged(git, on_committed, message,
		       all ? GIT_ARGS("commit", "--quiet", "--file=-", "--all")
			   : GIT_ARGS("commit", "--quiet", "--file=-"));
	return git_started(git);
}

/* ---- push ---- */

static void
on_push_sha(struct git *git, const struct program_end *end)
{
	struct json *output = json_new_object();
	char *sha = git_text(end);

	json_set(output, "remote", json_new_str(git->remote));
	json_set(output, "branch", json_new_str(git->branch));
	json_set(output, "sha", json_new_str(sha));
	attempt_succeed(git->attempt, output);
	free(sha);
}

static void
on_pushed(struct git *git, const struct program_end *end)
{
	char *ref = xprintf("refs/heads/%s", git->branch);

	(void)end;
	git_run(git, on_push_sha, NULL, GIT_ARGS("rev-parse", "--verify", ref));
	free(ref);
}

static void
push(struct git *git)
{
	char *refs = xprintf("refs/heads/%s:refs/heads/%s", git->branch, git->branch);

	git_run(git, on_pushed, NULL,
		field_flag(git->attempt, "force", false)
		    ? GIT_ARGS("push", "--quiet", "--force-with-lease", "--",
			       git->remote, refs)
		    : GIT_ARGS("push", "--quiet", "--", git->remote, refs));
	free(refs);
}

static void
on_push_branch(struct git *git, const struct program_end *end)
{
	if (end->exit_status != 0) {
		attempt_fail(git->attempt, "input", true,
			     "git.push: no branch is checked out; name one");
		return;
	}
	git->branch = git_text(end);
	push(git);
}

static void *
push_start(struct attempt *attempt)
{
	struct git *git = git_new(attempt, "git.push");
	const char *remote = git != NULL ? git_value(git, "remote", "origin") : NULL;
	const char *branch = remote != NULL ? git_value(git, "branch", "HEAD") : NULL;

	if (branch == NULL)
		return git_started(git);
	git->remote = xstrdup(remote);
	if (json_get(attempt->fields, "branch") == NULL) {
		git_run_judged(git, on_push_branch, NULL,
			       GIT_ARGS("symbolic-ref", "--quiet", "--short", "HEAD"));
	} else {
		git->branch = xstrdup(branch);
		push(git);
	}
	return git_started(git);
}

#define GIT_TOOL(n, s)                                                                 \
	{                                                                              \
		.name = (n), .start = (s), .stop = git_stop, .free = git_free          \
	}

const struct action tool_git_ensure_branch = GIT_TOOL("git.ensureBranch", ensure_start);
const struct action tool_git_stage_all = GIT_TOOL("git.stageAll", stage_start);
const struct action tool_git_commit = GIT_TOOL("git.commit", commit_start);
const struct action tool_git_push = GIT_TOOL("git.push", push_start);
