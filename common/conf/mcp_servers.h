/*
 * The MCP servers: what stands under `mcp` in stepmill.yaml. A server is a program that
 * is spoken to over its standard input and output, or an address that speaks streamable
 * HTTP. Its address is allowed by standing here, private or not.
 */
#ifndef CONF_MCP_SERVERS_H
#define CONF_MCP_SERVERS_H

#include "base/doc.h"
#include "base/mask.h"
#include "base/usec.h"
#include "conf/named_values.h"
#include "conf/option.h"

#define MCP_SERVERS_MAX 64

/* Authorization by OAuth, where the server wants it. */
struct mcp_oauth {
	bool wanted;
	char *client_id, *client_secret; /* of one that is registered; or NULL */
	char
	    *client_document; /* the address of what a client says of itself; or NULL */
	char *scope;          /* or NULL: as the server says */
};

/* What a server is answered that asks a person something. */
enum mcp_elicitation {
	MCP_ELICIT_NONE,     /* it is told that nobody can be asked */
	MCP_ELICIT_DEFAULTS, /* its own presets are accepted, where it has them */
	MCP_ELICITATIONS
};

struct mcp_server {
	char *name;                  /* letters, digits, _ and -; at most 32 */
	struct texts command;        /* argv; empty: it is reached by url */
	char *cwd;                   /* where the program starts; NULL: project.path */
	struct texts pass;           /* names of variables that are handed on to it */
	struct named_values env;     /* variables that it is given */
	char *url;                   /* or NULL */
	struct named_values headers; /* that go with every request to url */
	struct mcp_oauth oauth;      /* of one with a url */
	usec_t start_timeout;        /* to start, greet, and list its tools */
	usec_t idle;                 /* unused for so long it is ended; 0: never */
	enum mcp_elicitation elicitation;
};

struct mcp_servers {
	struct mcp_server *list;
	size_t count;
	const char **names; /* of all, ended by NULL; never NULL itself once read */
};

/* tree: NULL or a map by name. What is wrong becomes problems that name the key. */
void mcp_servers_read(struct mcp_servers *servers, const struct doc *tree,
		      struct problems *problems);
void mcp_servers_fini(struct mcp_servers *servers);
const struct mcp_server *mcp_server_find(const struct mcp_servers *servers,
					 const char *name, size_t len); /* or NULL */
/* Secret values of variables and headers are masked from now on. */
void mcp_servers_mask(const struct mcp_servers *servers, struct mask *mask);

#endif
