/* The table of commands; --help, completion and the man page are made from it or
 * compared with it. */
#include "commands.h"

#include <string.h>

#include "eval.h"

#define RUN_MORE                                                                       \
	"NAME is a workflow, or a .yaml file, which is registered first. KEY=VALUE\n"  \
	"sets a member of the input (VALUE is JSON where it is JSON, else text).\n"    \
	"Ctrl-C stops watching; the run goes on. The exit status tells how it "        \
	"ended.\n"                                                                     \
	"With --batch the file has one input a line, or is one JSON list of all of\n"  \
	"them; their runs' ids are printed in that order, and none is watched."
#define DEV_MORE                                                                       \
	"Nothing has to be configured: PostgreSQL and Redis are started for this\n"    \
	"folder alone, on Unix sockets, and all data stays in --data. Ctrl-C ends\n"   \
	"everything once the steps in hand are done; a second one does not wait for\n" \
	"them: they are handed back and go on at the next start."
#define KEYS_MORE                                                                      \
	"A key is printed once, when it is made; only its hash is kept. Roles: a\n"    \
	"viewer reads, an operator also starts and cancels, an admin also registers\n" \
	"and scales."
#define AUDIT_MORE                                                                     \
	"Each change over the API has an entry, and entries stand under seals, each\n" \
	"made over the one before. A seal that was noted elsewhere (the scheduler\n"   \
	"logs each as audit.sealed) proves with --expect that nothing before it was\n" \
	"changed since."
#define SCHEDULE_MORE                                                                  \
	"SCHEDULE is an id, or a name that only one has. EXPR is a cron pattern of\n"  \
	"5 to 7 fields, a nickname (@daily), \"@every 90s\", which counts from when\n" \
	"the schedule is made (preview: from --from), or said in words (\"weekdays\n"  \
	"at 08:30\"). edit: what is not given stays, and none clears (--workflow "     \
	"none).\n"                                                                     \
	"preview asks no server; its exit status is 1 when EXPR never fires."
#define HEARTBEAT_MORE                                                                 \
	"PATH is a HEARTBEAT.md, relative to the project's folder. Its lines\n"        \
	"\"- [ ] text\" are checked, one after the other; what needs action is told\n" \
	"over WebSocket and kept. What its front matter says wins over the options.\n" \
	"Adding the same file again changes the heartbeat."
#define BOTS_MORE                                                                      \
	"BOT is a slug or an id. edit: what is not given stays; --model, --tools\n"    \
	"and --skill none clear. What is sent to a bot is kept for who reads the\n"    \
	"session; bots answer in the agent and message steps of workflows."
#define TOP_MORE                                                                       \
	"Runs under way and ended, the hosts with their workers, queues with what\n"   \
	"is ready in them and since when, and the runs that are not over. Ctrl-C\n"    \
	"ends it. Printed once where stdout is no terminal."
#define WORKFLOWS_MORE                                                                 \
	"test runs a program without an engine. Its steps are answered from "          \
	"--record,\n"                                                                  \
	"a run as `show RUN --json` prints it, or an object from names of steps to\n"  \
	"outputs ({\"$error\": {code, message}}: it failed), or from --against RUN. "  \
	"With\n"                                                                       \
	"outputs by name, functions that are not there are run. Exit status 1: it\n"   \
	"failed, or asked for something else than is recorded."
#define CTX_MORE                                                                       \
	"For scripts that a step runs. set: VALUE is JSON where it is JSON, else "     \
	"text.\n"                                                                      \
	"get prints a text as it is, all else as JSON; its exit status, and that of\n" \
	"has, is 1 when there is none. LEVEL is trace, debug, info, warn, error or\n"  \
	"fatal."
#define BENCH_MORE                                                                     \
	"seq10    runs of ten no-op steps, each stored before the next starts\n"       \
	"single   runs of one no-op step, each triggered by a request of its own\n"    \
	"latency  as seq10, but one run at a time\n"                                   \
	"fan100   runs of one step that fans out into a hundred and joins them;\n"     \
	"fan-latency: one at a time\n"                                                 \
	"Every figure is read from PostgreSQL afterwards; that all runs completed\n"   \
	"and no event is missing is checked."

/* clang-format off */
const struct command commands[] = {
	{ "dev", "", "run everything here: private PostgreSQL and Redis, supervisor, workers",
	  DEV_MORE, dev_args, cmd_dev },
	{ "run", "NAME [KEY=VALUE]...", "start a workflow and watch it", RUN_MORE,
	  run_args, cmd_run },
	{ "dry-run", "NAME [KEY=VALUE]...", "show how a run would go, without running anything",
	  NULL, dry_run_args, cmd_dry_run },
	{ "test-step", "NAME STEP [KEY=VALUE]...", "run one step of a workflow alone", NULL,
	  test_step_args, cmd_test_step },
	{ "list", "", "list runs, newest first", NULL, list_args, cmd_list },
	{ "show", "RUN", "show a run: its steps, comments and artifacts", NULL,
	  show_args, cmd_show },
	{ "logs", "RUN", "print the log of a run", NULL, logs_args, cmd_logs },
	{ "events", "RUN", "print the events of a run", NULL, events_args, cmd_events },
	{ "why", "RUN [STEP]", "say why a run does not move, and the way out", NULL, why_args,
	  cmd_why },
	{ "cancel", "RUN...", "cancel runs", NULL, cancel_args, cmd_cancel },
	{ "pause", "RUN...", "begin nothing more of runs", NULL, pause_args, cmd_pause },
	{ "resume", "RUN...", "let paused or crashed runs go on", NULL, resume_args,
	  cmd_resume },
	{ "retry", "RUN", "run a failed run again from where it failed", NULL, retry_args,
	  cmd_retry },
	{ "rerun", "RUN", "run a run again from its beginning", NULL, rerun_args,
	  cmd_rerun },
	{ "approvals", "", "list what waits for somebody to decide", NULL, approvals_args,
	  cmd_approvals },
	{ "approve", "RUN [STEP]", "let a step run that waits for approval", NULL,
	  approve_args, cmd_approve },
	{ "deny", "RUN [STEP]", "let a step fail that waits for approval", NULL, deny_args,
	  cmd_deny },
	{ "comment", "RUN MESSAGE", "say something on a run, or on a step of it", NULL,
	  comment_args, cmd_comment },
	{ "ctx", "comment MESSAGE | set KEY VALUE | get KEY | has KEY | delete KEY | artifact add FILE | log LEVEL MESSAGE | info",
	  "in a step: comment, keep values and files, log, without a key", CTX_MORE, ctx_args,
	  cmd_ctx },
	{ "artifacts", "list RUN | get RUN NAME | add RUN FILE", "files kept with a run",
	  NULL, artifacts_args, cmd_artifacts },
	{ "workflows", "[list | show NAME | versions NAME | register FILE... | test FILE [KEY=VALUE]...]",
	  "list, look at, register workflows; test one that is a program", WORKFLOWS_MORE,
	  workflows_args, cmd_workflows },
	{ "skills", "[list]", "list what skill steps can use", NULL, skills_args, cmd_skills },
	{ "projects", "list | add NAME | show NAME | remove NAME",
	  "folders that runs work in", NULL, projects_args, cmd_projects },
	{ "validate", "FILE...", "check workflow files, or any by a JSON Schema", NULL,
	  validate_args, cmd_validate },
	{ "schedule",
	  "list | add NAME EXPR | preview EXPR | show|edit|pause|resume|remove|fire|firings SCHEDULE",
	  "what starts runs at their time: manage it, and see when it fires",
	  SCHEDULE_MORE, schedule_args, cmd_schedule },
	{ "heartbeat", "add PATH | list | show ID | results ID | pause ID | resume ID | fire ID | remove ID",
	  "checklists that a model goes through every so often", HEARTBEAT_MORE, heartbeat_args,
	  cmd_heartbeat },
	{ "bots", "list | show BOT | add SLUG | edit BOT | send BOT TEXT | remove BOT",
	  "models with a name, a prompt and tools, for steps of runs", BOTS_MORE, bots_args,
	  cmd_bots },
	{ "eval", "EXPR", "evaluate an expression", NULL, eval_args, NULL },
	{ "top", "", "what the servers do, drawn anew every two seconds", TOP_MORE, top_args,
	  cmd_top },
	{ "scale", "[WORKERS]", "show or set the number of workers", NULL, scale_args,
	  cmd_scale },
	{ "migrate", "", "bring the database to this version", NULL, migrate_args,
	  cmd_migrate },
	{ "audit", "list | verify", "who changed what; check that the audit log is what it was", AUDIT_MORE,
	  audit_args, cmd_audit },
	{ "keys", "create | list | revoke NAME", "API keys, directly in the database",
	  KEYS_MORE, keys_args, cmd_keys },
	{ "doctor", "", "check this machine and the servers, with a way out", NULL,
	  doctor_args, cmd_doctor },
	{ "bench", "seq10 | single | latency | fan100 | fan-latency", "measure this installation", BENCH_MORE,
	  bench_args, cmd_bench },
	{ "completion", "bash | zsh | fish", "print a completion script for a shell", NULL,
	  completion_args, cmd_completion },
	{ 0 },
};
/* clang-format on */

const struct command *
command_find(const char *name)
{
	for (const struct command *it = commands; it->name != NULL; it++)
		if (strcmp(it->name, name) == 0)
			return it;
	return NULL;
}
