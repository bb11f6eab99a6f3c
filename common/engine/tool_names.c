/* The table of built-in tools, and finding a name in it. */
#include "engine/tool_names.h"

#include <string.h>

#include "base/doc.h"
#include "engine/action_fields.h"

#define TOOL_NAMES_MAX 64

static const char *const encodings[] = { "utf8", "base64", NULL };
const char *const artifact_types[] = {
	"SCREENSHOT",   "LOG_FILE", "SESSION_FILE", "TEST_REPORT",
	"BUILD_OUTPUT", "DOCUMENT", "OTHER",        NULL,
};

/* clang-format off */

/* Every git tool works in a repository inside the project. */
#define ARG_REPOSITORY \
	{ .name = "cwd", .type = FIELD_TEXT, \
	  .help = "folder of the repository; the project's" }
#define ARG_PATH(what) \
	{ .name = "path", .type = FIELD_TEXT, .required = true, .help = what }
#define ARG_KEY \
	{ .name = "key", .type = FIELD_TEXT, .required = true, .help = "name in `state`" }

static const struct field shell_args[] = {
	{ .name = "command", .type = FIELD_TEXT, .required = true,
	  .help = "given to `/bin/sh -c`" },
	{ .name = "cwd", .type = FIELD_TEXT, .help = "folder to run in; the project's" },
	{ .name = "env", .type = FIELD_PAIRS, .help = "added to the environment; none" },
	{ .name = "stdin", .type = FIELD_TEXT, .help = "written to its input; nothing" },
	{ 0 },
};

static const struct field git_plain_args[] = { ARG_REPOSITORY, { 0 } };

static const struct field git_ensure_branch_args[] = {
	{ .name = "name", .type = FIELD_TEXT, .required = true,
	  .help = "made if it is missing, then checked out" },
	{ .name = "base", .type = FIELD_TEXT,
	  .help = "where a new branch starts; the current commit" },
	ARG_REPOSITORY,
	{ 0 },
};

static const struct field git_commit_args[] = {
	{ .name = "message", .type = FIELD_TEXT, .required = true, .help = "of the commit" },
	{ .name = "all", .type = FIELD_FLAG,
	  .help = "also what is changed but not staged; `false`" },
	ARG_REPOSITORY,
	{ 0 },
};

static const struct field git_push_args[] = {
	{ .name = "remote", .type = FIELD_TEXT, .help = "`origin`" },
	{ .name = "branch", .type = FIELD_TEXT, .help = "the current branch" },
	{ .name = "force", .type = FIELD_FLAG,
	  .help = "replace what is there, unless somebody else pushed (`--force-with-lease`);"
		  " `false`" },
	ARG_REPOSITORY,
	{ 0 },
};

static const struct field git_create_pr_args[] = {
	{ .name = "title", .type = FIELD_TEXT, .required = true, .help = "of the request" },
	{ .name = "body", .type = FIELD_TEXT, .help = "its text; empty" },
	{ .name = "head", .type = FIELD_TEXT, .help = "branch to merge; the current one" },
	{ .name = "base", .type = FIELD_TEXT,
	  .help = "branch to merge into; the project's default branch" },
	{ .name = "draft", .type = FIELD_FLAG, .help = "`false`" },
	{ .name = "remote", .type = FIELD_TEXT,
	  .help = "whose URL names the repository; `origin`" },
	ARG_REPOSITORY,
	{ 0 },
};

static const struct field git_log_args[] = {
	{ .name = "range", .type = FIELD_TEXT, .help = "`v1.0..HEAD`; `HEAD`" },
	{ .name = "maxCount", .type = FIELD_COUNT, .min = 1, .max = 10000, .help = "`100`" },
	{ .name = "path", .type = FIELD_TEXT, .help = "only commits that touch it; all" },
	ARG_REPOSITORY,
	{ 0 },
};

static const struct field git_diff_args[] = {
	{ .name = "range", .type = FIELD_TEXT,
	  .help = "`main..HEAD`; the working tree against `HEAD`" },
	{ .name = "path", .type = FIELD_TEXT, .help = "only below it; all" },
	{ .name = "stat", .type = FIELD_FLAG,
	  .help = "counts by file instead of the text; `false`" },
	ARG_REPOSITORY,
	{ 0 },
};

static const struct field files_read_args[] = {
	ARG_PATH("the file"),
	{ .name = "encoding", .type = FIELD_CHOICE, .choices = encodings,
	  .help = "of `content`: `utf8` or `base64`; `utf8`" },
	{ 0 },
};

static const struct field files_write_args[] = {
	ARG_PATH("the file; missing folders are made"),
	{ .name = "content", .type = FIELD_TEXT, .required = true,
	  .help = "what it holds afterwards" },
	{ .name = "encoding", .type = FIELD_CHOICE, .choices = encodings,
	  .help = "of `content`: `utf8` or `base64`; `utf8`" },
	{ .name = "append", .type = FIELD_FLAG, .help = "add at the end; `false`" },
	{ 0 },
};

static const struct field files_exists_args[] = { ARG_PATH("a file or folder"), { 0 } };

static const struct field files_delete_args[] = {
	ARG_PATH("a file or folder; one that is missing is no error"),
	{ .name = "recursive", .type = FIELD_FLAG,
	  .help = "a folder with what is in it; `false`" },
	{ 0 },
};

static const struct field files_list_args[] = {
	{ .name = "path", .type = FIELD_TEXT, .help = "a folder; the project's" },
	{ .name = "recursive", .type = FIELD_FLAG, .help = "folders below too; `false`" },
	{ .name = "pattern", .type = FIELD_TEXT,
	  .help = "only names that match, `*.md`; all" },
	{ 0 },
};

static const struct field files_copy_args[] = {
	{ .name = "from", .type = FIELD_TEXT, .required = true, .help = "a file or folder" },
	{ .name = "to", .type = FIELD_TEXT, .required = true,
	  .help = "its new path; missing folders are made" },
	{ .name = "recursive", .type = FIELD_FLAG,
	  .help = "a folder with what is in it; `false`" },
	{ 0 },
};

static const struct field json_merge_args[] = {
	{ .name = "values", .type = FIELD_OBJECTS, .required = true,
	  .help = "later ones win, member by member, at every depth" },
	{ 0 },
};

static const struct field json_pick_args[] = {
	{ .name = "from", .type = FIELD_OBJECT, .required = true, .help = "an object" },
	{ .name = "keys", .type = FIELD_TEXTS, .required = true,
	  .help = "the members to keep; missing ones are left out" },
	{ 0 },
};

static const struct field notify_webhook_args[] = {
	{ .name = "url", .type = FIELD_TEXT, .required = true, .help = "http or https" },
	{ .name = "body", .type = FIELD_ANY, .help = "sent as JSON by POST; `{}`" },
	{ .name = "headers", .type = FIELD_PAIRS, .help = "header lines by name; none" },
	{ .name = "secret", .type = FIELD_TEXT,
	  .help = "signs the body: `X-Stepmill-Signature: sha256=` and its HMAC in hex; none" },
	{ 0 },
};

static const struct field state_set_args[] = {
	ARG_KEY,
	{ .name = "value", .type = FIELD_ANY, .required = true, .help = "any JSON, also null" },
	{ 0 },
};

static const struct field state_get_args[] = {
	ARG_KEY,
	{ .name = "default", .type = FIELD_ANY, .help = "when there is none; null" },
	{ 0 },
};

static const struct field state_key_args[] = { ARG_KEY, { 0 } };

static const struct field comment_add_args[] = {
	{ .name = "message", .type = FIELD_TEXT, .required = true, .help = "the comment" },
	{ .name = "metadata", .type = FIELD_OBJECT, .help = "kept beside it; none" },
	{ .name = "step", .type = FIELD_FLAG,
	  .help = "on this step rather than on the run; `false`" },
	{ 0 },
};

static const struct field artifact_add_args[] = {
	ARG_PATH("the file; a copy is kept with the run"),
	{ .name = "name", .type = FIELD_TEXT, .help = "shown to people; the file's name" },
	{ .name = "type", .type = FIELD_CHOICE, .choices = artifact_types,
	  .help = "`SCREENSHOT LOG_FILE SESSION_FILE TEST_REPORT BUILD_OUTPUT DOCUMENT OTHER`;"
		  " `OTHER`" },
	{ .name = "mimeType", .type = FIELD_TEXT, .help = "guessed from the name" },
	{ .name = "metadata", .type = FIELD_OBJECT, .help = "kept beside it; none" },
	{ .name = "step", .type = FIELD_FLAG,
	  .help = "of this step rather than of the run; `true`" },
	{ 0 },
};

const struct tool_name tool_names[] = {
	{ "shell", shell_args, "runs a command; another exit code than 0 is a failure",
	  "`{exitCode, stdout, stderr}`" },
	{ "http.request", action_http_fields, "the action `http` as a tool",
	  "`{status, headers, body}`" },
	{ "git.ensureBranch", git_ensure_branch_args, "checks out a branch, new or old",
	  "`{branch, created}`; also the run's `branch_name`" },
	{ "git.getCurrentBranch", git_plain_args, "which branch is checked out",
	  "`{branch}`, null when none is" },
	{ "git.getCurrentCommit", git_plain_args, "which commit is checked out", "`{sha}`" },
	{ "git.status", git_plain_args, "what changed in the working tree",
	  "`{branch, clean, files: [{path, status}]}`" },
	{ "git.stageAll", git_plain_args, "stages every change, new files too",
	  "`{files: [path]}`" },
	{ "git.commit", git_commit_args, "commits what is staged; nothing is a failure",
	  "`{sha, branch, message}`; also the run's `commit_sha`" },
	{ "git.push", git_push_args, "pushes a branch", "`{remote, branch, sha}`" },
	{ "git.createPr", git_create_pr_args, "opens a pull request at the forge",
	  "`{url, number}`; also the run's `pr_url`" },
	{ "git.log", git_log_args, "the history, newest first",
	  "`[{sha, author, email, date, subject, body}]`" },
	{ "git.diff", git_diff_args, "what differs",
	  "`{diff}` (`truncated: true` when it was cut), or `{files: [{path, added, removed}], added, removed}`" },
	{ "files.read", files_read_args, "reads a file", "`{path, content, size}`" },
	{ "files.write", files_write_args, "writes a file, whole or not at all",
	  "`{path, size}`" },
	{ "files.exists", files_exists_args, "whether there is something of this name",
	  "`{exists, type}`, type `file`, `folder` or null" },
	{ "files.delete", files_delete_args, "deletes", "`{deleted}`" },
	{ "files.list", files_list_args, "what is in a folder, by name",
	  "`[{path, type, size}]`" },
	{ "files.copy", files_copy_args, "copies", "`{from, to, files}`" },
	{ "json.merge", json_merge_args, "lays objects over one another", "the object" },
	{ "json.pick", json_pick_args, "keeps some members of an object", "the object" },
	{ "notify.webhook", notify_webhook_args, "tells another service",
	  "`{status, headers, body}`" },
	{ "state.set", state_set_args, "keeps a value for the rest of the run",
	  "the value" },
	{ "state.get", state_get_args, "reads a kept value", "the value" },
	{ "state.has", state_key_args, "whether a value is kept", "true or false" },
	{ "state.delete", state_key_args, "forgets a kept value",
	  "whether there was one: true or false" },
	{ "comment.add", comment_add_args, "comments on the run", "`{id}`" },
	{ "artifact.add", artifact_add_args, "keeps a file with the run",
	  "`{id, name, type, path, size, sha256}`" },
	{ 0 },
};

static const struct field heartbeat_read_args[] = {
	{ .name = "schedule", .type = FIELD_TEXT, .required = true,
	  .help = "the heartbeat's schedule, its UUID" },
	{ 0 },
};

static const struct field heartbeat_report_args[] = {
	{ .name = "schedule", .type = FIELD_TEXT, .required = true,
	  .help = "the heartbeat's schedule, its UUID" },
	{ .name = "read", .type = FIELD_OBJECT, .required = true,
	  .help = "what heartbeat.read answered" },
	{ .name = "answers", .type = FIELD_ANY,
	  .help = "what the model said of each item; none" },
	{ 0 },
};

const struct tool_name own_tools[] = {
	{ "heartbeat.read", heartbeat_read_args, "reads the file of a heartbeat",
	  "`{heartbeat, path, items, model, webhook, problem, skipped}`" },
	{ "heartbeat.report", heartbeat_report_args, "keeps what a heartbeat found",
	  "`{checked, alerts, webhook, alert}`" },
	{ 0 },
};
/* clang-format on */

static const struct tool_name *
find(const struct tool_name *table, const char *name)
{
	for (; table->name != NULL; table++)
		if (strcmp(table->name, name) == 0)
			return table;
	return NULL;
}

const struct tool_name *
tool_names_find(const char *name)
{
	const struct tool_name *tool = find(tool_names, name);

	return tool != NULL ? tool : find(own_tools, name);
}

bool
tool_names_is_own(const char *name)
{
	return find(own_tools, name) != NULL;
}

const char *
tool_names_nearest(const char *name)
{
	const char *names[TOOL_NAMES_MAX];
	size_t count = 0;

	for (const struct tool_name *tool = tool_names; tool->name != NULL; tool++)
		if (count < TOOL_NAMES_MAX - 1)
			names[count++] = tool->name;
	names[count] = NULL;
	return nearest_name(name, names);
}

/* Of several stars only the last is ever taken back: what was found for the ones before
 * it can stay where it is. */
static bool
fits(const char *pattern, const char *name)
{
	const char *star = NULL, *from = NULL;

	while (*name != '\0') {
		if (*pattern == '*') {
			star = pattern++;
			from = name;
		} else if (*pattern == *name) {
			pattern++;
			name++;
		} else if (star != NULL) {
			pattern = star + 1;
			name = ++from;
		} else {
			return false;
		}
	}
	return pattern[strspn(pattern, "*")] == '\0';
}

bool
tool_names_allow(const struct json *list, const char *name)
{
	if (list == NULL)
		return true;
	for (size_t i = 0; i < json_count(list); i++) {
		const char *pattern = json_str(json_at(list, i));

		if (pattern != NULL && fits(pattern, name))
			return true;
	}
	return false;
}
