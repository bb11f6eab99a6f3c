/* The tools themselves, for the table in tools.c; each is in the file of its family. */
#ifndef TOOLS_TOOLS_H
#define TOOLS_TOOLS_H

#include "actions/action.h"

extern const struct action tool_shell;
extern const struct action tool_http_request;
extern const struct action tool_notify_webhook;

extern const struct action tool_git_ensure_branch;
extern const struct action tool_git_current_branch;
extern const struct action tool_git_current_commit;
extern const struct action tool_git_status;
extern const struct action tool_git_stage_all;
extern const struct action tool_git_commit;
extern const struct action tool_git_push;
extern const struct action tool_git_create_pr;
extern const struct action tool_git_log;
extern const struct action tool_git_diff;

extern const struct action tool_files_read;
extern const struct action tool_files_write;
extern const struct action tool_files_exists;
extern const struct action tool_files_delete;
extern const struct action tool_files_list;
extern const struct action tool_files_copy;

extern const struct action tool_json_merge;
extern const struct action tool_json_pick;

extern const struct action tool_state_set;
extern const struct action tool_state_get;
extern const struct action tool_state_has;
extern const struct action tool_state_delete;

extern const struct action tool_comment_add;
extern const struct action tool_artifact_add;

/* Of the engine's own workflow stepmill.heartbeat. */
extern const struct action tool_heartbeat_read;
extern const struct action tool_heartbeat_report;

#endif
