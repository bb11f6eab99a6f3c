/* One server of a worker: its connection, its tools, the calls to it. Only mcp.c and
 * session.c include this. */
#ifndef MCP_SESSION_H
#define MCP_SESSION_H

#include "base/list.h"
#include "mcp/mcp.h"
#include "mcp/wire.h"

struct mcp_session;

struct mcp_session *mcp_session_new(const struct mcp_wire_conf *conf, loop_fn *on_ended,
				    void *context);
void mcp_session_free(struct mcp_session **session_p);
const struct mcp_server *mcp_session_server(const struct mcp_session *session);
/* NULL: they were never heard. */
const struct mcp_tools *mcp_session_tools(const struct mcp_session *session);
/* tool NULL: only the list is wanted. */
struct mcp_call *mcp_session_call(struct mcp_session *session, const char *tool,
				  const struct json *arguments, const char *key,
				  const struct mcp_call_events *events, void *context);
/* Ends it politely; on_ended comes when there is no connection (also at once). */
void mcp_session_leave(struct mcp_session *session);
bool mcp_session_is_down(const struct mcp_session *session);

#endif
