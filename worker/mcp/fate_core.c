/* See fate_core.h. */
#include "mcp/fate_core.h"

#include <stddef.h>

enum mcp_fate
mcp_fate(const struct mcp_case *it)
{
	if (it->sent)
		return it->idempotent ? MCP_MAY_RETRY : MCP_NO_RETRY;
	if (it->final || it->redone >= MCP_REDONE_MAX)
		return MCP_UNREACHED;
	return MCP_REDO;
}

usec_t
mcp_rest(int failures)
{
	static const usec_t rests[] = {
		0,
		200 * USEC_MS,
		USEC_SECOND,
		5 * USEC_SECOND,
		15 * USEC_SECOND,
		30 * USEC_SECOND,
	};
	int last = (int)(sizeof rests / sizeof rests[0]) - 1;

	return rests[failures < 0 ? 0 : failures > last ? last : failures];
}

const char *
mcp_fate_code(enum mcp_fate fate)
{
	static const char *const codes[MCP_FATES] = {
		[MCP_REDO] = "mcp_unavailable",
		[MCP_UNREACHED] = "mcp_unavailable",
		[MCP_MAY_RETRY] = "mcp_lost",
		[MCP_NO_RETRY] = "effect_unknown",
	};

	return codes[fate];
}
