/*
 * Authorization at one server by OAuth: finds its authorization server, registers there
 * if it has to, and gets a token, which is kept as long as the server takes it. There
 * is no person here: an authorization server that wants one to log in refuses.
 *
 *   metadata of the resource -> metadata of the authorization server -> a client
 *     -> a code (by a redirect that needs nobody) -> a token
 *     -> a token for the client itself, where that is how it is done there
 *
 * Which addresses are called is the server's to say, so they are not trusted: only
 * those of its own host, public ones, and what worker.http_allow has. Redirects are not
 * followed.
 */
#ifndef MCP_LOGIN_H
#define MCP_LOGIN_H

#include "mcp/wire.h"

struct mcp_login;

/* Everything is borrowed. NULL: the server's configuration wants none. */
struct mcp_login *mcp_login_new(const struct mcp_wire_conf *conf);
void mcp_login_free(struct mcp_login **login_p);

/* "Bearer ...", or NULL: none yet. *serial: of this token; it rises with each. */
const char *mcp_login_header(const struct mcp_login *login, int *serial);

/* why: NULL when there is a new token; final: asking again cannot help. Never called
 * from inside mcp_login_ask. */
typedef void mcp_login_fn(void *context, const char *why, bool final);

/* The server refused, with this header (or NULL). A flow that is under way is joined.
 */
void mcp_login_ask(struct mcp_login *login, const char *header, mcp_login_fn *done,
		   void *context);
void mcp_login_forget(struct mcp_login *login, const void *context);

#endif
