/* The table of actions: one row per kind of step that a worker executes. The others are
 * the engine's own: see engine/enter_core.c. */
#include "actions/actions.h"

const struct action *
action_find(enum action_kind kind)
{
	static const struct action *const table[ACTION_KINDS] = {
		[ACTION_NOOP] = &action_noop,   [ACTION_TOOL] = &action_tool,
		[ACTION_HTTP] = &action_http,   [ACTION_WAIT] = &action_wait,
		[ACTION_CODE] = &action_code,   [ACTION_WORKFLOW] = &action_workflow,
		[ACTION_MODEL] = &action_model, [ACTION_SKILL] = &action_skill,
		[ACTION_AGENT] = &action_agent, [ACTION_MESSAGE] = &action_message,
	};

	return (unsigned)kind < ACTION_KINDS ? table[kind] : NULL;
}
