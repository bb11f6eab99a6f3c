/* Running git for tools. See git_run.h. */
#include "tools/git_run.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "actions/answer.h"
#include "actions/script.h"
#include "base/xalloc.h"
#include "store/pg.h"
#include "tools/git_core.h"

#define ARGUMENTS_MAX 32

struct git *
git_new(struct attempt *attempt, const char *tool)
{
	struct git *git = xcalloc(1, sizeof *git);
	struct err err = { 0 };

	git->attempt = attempt;
	git->tool = tool;
	git->folder = script_folder(attempt, field_text(attempt, "cwd", NULL), &err);
	if (git->folder >= 0)
		return git;
	answer_error(attempt, tool, &err);
	git_free(git);
	return NULL;
}

void
git_free(void *context)
{
	struct git *git = context;

	if (git->attempt->services->pg != NULL)
		pg_forget(git->attempt->services->pg, git);
	if (git->call != NULL)
		http_call_cancel(&git->call);
	program_free(&git->program);
	if (git->folder >= 0)
		close(git->folder);
	json_unref(&git->output);
	buf_fini(&git->reflog);
	free(git->why);
	free(git->branch);
	free(git->sha);
	free(git->remote);
	free(git);
}

/* Between two commands nothing runs for long; a request is given up. */
void
git_stop(void *context, enum stop how)
{
	struct git *git = context;

	if (git->program != NULL) {
		program_stop(git->program, how);
	} else if (git->call != NULL) {
		http_call_cancel(&git->call);
		attempt_fail(git->attempt, "stopped", false, "told to stop");
	}
}

void
git_fail_err(struct git *git, const struct err *err)
{
	git->failed = true;
	answer_error(git->attempt, git->tool, err);
}

void
git_fail(struct git *git, const struct program_end *end)
{
	script_fail(git->attempt, end, NULL);
}

static void
on_end(void *context, const struct program_end *end)
{
	struct git *git = context;
	bool judged = git->judges && end->started && !end->stopped && end->signal == 0;

	if (end->code != NULL && !judged)
		git_fail(git, end);
	else
		git->next(git, end);
}

/* Nobody is there to be asked, and messages are those that scripts expect. */
static void
make_environment(struct git *git, struct pairs *pairs)
{
	pairs_add(pairs, xstrdup("GIT_TERMINAL_PROMPT=0"));
	pairs_add(pairs, xstrdup("GIT_ASKPASS="));
	pairs_add(pairs, xstrdup("GIT_EDITOR=true"));
	pairs_add(pairs, xstrdup("GIT_OPTIONAL_LOCKS=0"));
	pairs_add(pairs, xstrdup("GIT_LITERAL_PATHSPECS=1"));
	pairs_add(pairs, xstrdup("LC_ALL=C.UTF-8"));
	if (git->reflog.len > 0)
		pairs_add(pairs, buf_take(&git->reflog));
}

static void
run(struct git *git, const char *input, const char *const *arguments)
{
	/* The project's folder is the operator's choice, whoever owns it. */
	const char *argv[ARGUMENTS_MAX + 1] = { "git",
						"-c",
						"safe.directory=*",
						"-c",
						"core.quotePath=false",
						"-c",
						"i18n.logOutputEncoding=UTF-8",
						"-c",
						"color.ui=false" };
	struct pairs pairs = { 0 };
	struct program_spec spec = {
		.argv = argv,
		.folder = git->folder,
		.input = input,
		.input_len = input != NULL ? strlen(input) : 0,
		.log_err = true,
		.out_max = GIT_OUTPUT_MAX,
	};
	struct err err = { 0 };
	size_t count = 9;

	while (*arguments != NULL && count < ARGUMENTS_MAX)
		argv[count++] = *arguments++;
	argv[count] = NULL;
	make_environment(git, &pairs);
	spec.environment = (const char *const *)pairs.list;
	program_free(&git->program);
	git->program = program_new(git->attempt, &err);
	if (git->program == NULL ||
	    program_start(git->program, &spec, on_end, git, &err) < 0)
		git_fail_err(git, &err);
	pairs_fini(&pairs);
}

void
git_run(struct git *git, git_next_fn *next, const char *input,
	const char *const *arguments)
{
	git->next = next;
	git->judges = false;
	run(git, input, arguments);
}

void
git_run_judged(struct git *git, git_next_fn *next, const char *input,
	       const char *const *arguments)
{
	git->next = next;
	git->judges = true;
	run(git, input, arguments);
}

char *
git_text(const struct program_end *end)
{
	struct buf text = { 0 };

	output_text(end->out, &text);
	while (text.len > 0 && text.data[text.len - 1] == '\n')
		text.data[--text.len] = '\0';
	return buf_take(&text);
}

bool
git_bytes(struct git *git, const struct program_end *end, const char *advice,
	  struct buf *out)
{
	if (output_bytes(end->out, out))
		return true;
	attempt_fail(git->attempt, "output_too_large", true,
		     "%s: git printed more than %d MiB; %s", git->tool,
		     GIT_OUTPUT_MAX / 1024 / 1024, advice);
	return false;
}

void *
git_started(struct git *git)
{
	if (git != NULL && git->failed) {
		git_free(git);
		git = NULL;
	}
	return git;
}

const char *
git_value(struct git *git, const char *field, const char *preset)
{
	const struct json *value = json_get(git->attempt->fields, field);
	const char *text = value != NULL ? json_str(value) : preset;
	struct err err = { 0 };

	if (value != NULL && strlen(text) != json_str_len(value))
		err_set(&err, ERR_INPUT, "%s: it holds a NUL", field);
	else if (git_check_value(field, text, &err) == 0)
		return text;
	git_fail_err(git, &err);
	return NULL;
}
