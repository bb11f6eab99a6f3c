/* The table of tools. Their names and arguments are common/engine/tool_names.c. */
#include "tools/tools.h"

#include <string.h>

static const struct action *const table[] = {
	&tool_shell,
	&tool_http_request,
	&tool_notify_webhook,
	&tool_git_ensure_branch,
	&tool_git_current_branch,
	&tool_git_current_commit,
	&tool_git_status,
	&tool_git_stage_all,
	&tool_git_commit,
	&tool_git_push,
	&tool_git_create_pr,
	&tool_git_log,
	&tool_git_diff,
	&tool_files_read,
	&tool_files_write,
	&tool_files_exists,
	&tool_files_delete,
	&tool_files_list,
	&tool_files_copy,
	&tool_json_merge,
	&tool_json_pick,
	&tool_state_set,
	&tool_state_get,
	&tool_state_has,
	&tool_state_delete,
	&tool_comment_add,
	&tool_artifact_add,
	&tool_heartbeat_read,
	&tool_heartbeat_report,
};

const struct action *
tool_find(const char *name)
{
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
		if (strcmp(table[i]->name, name) == 0)
			return table[i];
	return NULL;
}
