/* Reading MCP servers. See mcp_servers.h. */
#include "conf/mcp_servers.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/xalloc.h"

#define NAME_CHARACTERS                                                                \
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"
#define NAME_LEN_MAX 32
#define WORDS_MAX    64 /* of a command */

/* As written, before it is looked at. */
struct written {
	struct texts command, pass;
	char *cwd, *url, *elicitation;
	usec_t start_timeout, idle;
	struct doc *env, *headers, *oauth;
};

#define AT(field) offsetof(struct written, field)

static const struct option server_table[] = {
	{ "command", OPT_TEXTS, AT(command), NULL, NULL, NULL, 0,
	  "the program and its arguments" },
	{ "cwd", OPT_TEXT, AT(cwd), NULL, NULL, NULL, 0, "where it starts" },
	{ "environment", OPT_TEXTS, AT(pass), NULL, NULL, NULL, 0,
	  "names of variables handed on" },
	{ "env", OPT_TREE, AT(env), NULL, NULL, NULL, 0, "variables it is given" },
	{ "url", OPT_TEXT, AT(url), NULL, NULL, NULL, 0, "where it is" },
	{ "headers", OPT_TREE, AT(headers), NULL, NULL, NULL, 0, "more headers" },
	{ "oauth", OPT_TREE, AT(oauth), NULL, NULL, NULL, 0, "authorization" },
	{ "start_timeout", OPT_DURATION, AT(start_timeout), "30s", "100ms", "10m", 0,
	  "to start and greet" },
	{ "idle", OPT_DURATION, AT(idle), "5m", "0s", "1d", 0, "until it is ended" },
	{ "elicitation", OPT_TEXT, AT(elicitation), "none", NULL, NULL, 0,
	  "what it is told when it asks a person" },
	{ .name = NULL },
};

static const struct option oauth_table[] = {
	{ "client_id", OPT_TEXT, offsetof(struct mcp_oauth, client_id), NULL, NULL,
	  NULL, OPT_SECRET, "of a registered client" },
	{ "client_secret", OPT_TEXT, offsetof(struct mcp_oauth, client_secret), NULL,
	  NULL, NULL, OPT_SECRET, "its secret" },
	{ "client_document", OPT_TEXT, offsetof(struct mcp_oauth, client_document),
	  NULL, NULL, NULL, 0, "the address of what a client says of itself" },
	{ "scope", OPT_TEXT, offsetof(struct mcp_oauth, scope), NULL, NULL, NULL, 0,
	  "what is asked for" },
	{ .name = NULL },
};

static const char *const elicitations[MCP_ELICITATIONS] = {
	[MCP_ELICIT_NONE] = "none",
	[MCP_ELICIT_DEFAULTS] = "defaults",
};

struct reading {
	struct mcp_server *server;
	struct problems *problems;
};

static void
complain(const struct reading *reading, const struct doc *where, const char *key,
	 const char *what)
{
	problems_add(reading->problems, where, "", "mcp.%s%s%s: %s",
		     reading->server->name, *key != '\0' ? "." : "", key, what);
}

/* Problems from `first` on are of members: "url: ..." becomes "mcp.NAME.url: ...". */
static void
name_problems(const struct reading *reading, size_t first, const char *below)
{
	for (size_t i = first; i < reading->problems->count; i++) {
		struct problem *problem = &reading->problems->list[i];
		bool of_member = strncmp(problem->message, "expected ", 9) != 0;
		char *message = xprintf("mcp.%s%s%s%s", reading->server->name, below,
					of_member ? "." : ": ", problem->message);

		free(problem->message);
		problem->message = message;
	}
}

static bool
is_url(const char *url)
{
	if (strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0)
		return false;
	for (const char *c = url; *c != '\0'; c++)
		if ((unsigned char)*c <= ' ' || *c == 0x7f)
			return false;
	return true;
}

static bool
is_name(const char *text)
{
	size_t len = strlen(text);

	return len > 0 && len <= NAME_LEN_MAX && strspn(text, NAME_CHARACTERS) == len;
}

/* ---- one server ---- */

/* What belongs to the other kind of server would be ignored: better refused. */
static void
check_kind(const struct reading *reading, const struct doc *node,
	   const struct written *written)
{
	bool program = written->command.count > 0, address = written->url != NULL;

	if (program == address) {
		complain(reading, node, "",
			 "expected either a command or a url, and one of them");
		return;
	}
	if (program && written->oauth != NULL)
		complain(reading, written->oauth, "oauth",
			 "only a server with a url has some");
	if (program && written->headers != NULL)
		complain(reading, written->headers, "headers",
			 "only a server with a url has some");
	if (address &&
	    (written->env != NULL || written->pass.count > 0 || written->cwd != NULL))
		complain(reading, node, "",
			 "\"env\", \"environment\" and \"cwd\" are of a server with a "
			 "command");
	if (address && !is_url(written->url))
		complain(reading, node, "url",
			 "expected http:// or https:// with a host");
	if (written->command.count > WORDS_MAX)
		complain(reading, node, "command", "more than 64 words");
}

/* Which of two would go out nobody could tell. */
static void
check_authorization(const struct reading *reading, const struct doc *node)
{
	const struct named_values *headers = &reading->server->headers;

	for (size_t i = 0; i < headers->count && reading->server->oauth.wanted; i++)
		if (strcasecmp(headers->list[i].name, "Authorization") == 0)
			complain(reading, node, "",
				 "expected either oauth or a header Authorization");
}

static void
set_elicitation(const struct reading *reading, const struct doc *node, const char *text)
{
	for (int i = 0; i < MCP_ELICITATIONS; i++)
		if (strcmp(elicitations[i], text) == 0) {
			reading->server->elicitation = (enum mcp_elicitation)i;
			return;
		}
	complain(reading, node, "elicitation", "expected none or defaults");
}

static void
check_pass(const struct reading *reading, const struct doc *node)
{
	const struct texts *pass = &reading->server->pass;

	for (size_t i = 0; i < pass->count; i++)
		if (pass->list[i][0] == '\0' ||
		    pass->list[i][strspn(pass->list[i], NAMES_OF_VARIABLES)] != '\0')
			complain(reading, node, "environment",
				 "expected names of variables");
}

static void
read_values(const struct reading *reading, struct named_values *values,
	    const struct doc *tree, const char *characters, const char *key)
{
	char *where = xprintf("mcp.%s.%s", reading->server->name, key);

	named_values_read(values, tree, characters, where, reading->problems);
	free(where);
}

static void
read_oauth(const struct reading *reading, const struct doc *tree)
{
	struct mcp_oauth *oauth = &reading->server->oauth;
	size_t before = reading->problems->count;

	if (tree == NULL)
		return;
	oauth->wanted = true;
	option_read(oauth_table, tree, oauth, reading->problems);
	name_problems(reading, before, ".oauth");
	if (oauth->client_secret != NULL && oauth->client_id == NULL)
		complain(reading, tree, "oauth", "a client_secret has a client_id");
	if (oauth->client_document != NULL && !is_url(oauth->client_document))
		complain(reading, tree, "oauth.client_document",
			 "expected http:// or https:// with a host");
}

static void
take(const struct reading *reading, const struct doc *node, struct written *written)
{
	struct mcp_server *server = reading->server;

	check_kind(reading, node, written);
	set_elicitation(reading, node, written->elicitation);
	read_values(reading, &server->env, written->env, NAMES_OF_VARIABLES, "env");
	read_values(reading, &server->headers, written->headers, NAMES_OF_HEADERS,
		    "headers");
	read_oauth(reading, written->oauth);
	server->command = written->command;
	server->pass = written->pass;
	server->cwd = written->cwd;
	server->url = written->url;
	server->start_timeout = written->start_timeout;
	server->idle = written->idle;
	written->command = written->pass = (struct texts){ 0 };
	written->cwd = written->url = NULL;
	check_pass(reading, node);
	check_authorization(reading, node);
}

static void
read_server(struct mcp_servers *servers, const struct doc *name, const struct doc *node,
	    struct problems *problems)
{
	struct mcp_server *server = &servers->list[servers->count];
	struct reading reading = { server, problems };
	struct written written = { 0 };
	size_t before = problems->count;

	if (!is_name(name->text)) {
		problems_add(problems, name, "",
			     "mcp: expected names of up to 32 letters, digits, dashes "
			     "or underscores");
		return;
	}
	server->name = xstrdup(name->text);
	servers->count++;
	option_defaults(server_table, &written);
	option_read(server_table, node, &written, problems);
	name_problems(&reading, before, "");
	take(&reading, node, &written);
	option_fini(server_table, &written);
}

/* ---- all of them ---- */

static bool
is_readable(const struct doc *tree, struct problems *problems)
{
	if (tree == NULL)
		return false;
	if (tree->kind == DOC_MAP && tree->count <= MCP_SERVERS_MAX)
		return true;
	problems_add(problems, tree, "",
		     "mcp: expected up to %d names with what they are",
		     MCP_SERVERS_MAX);
	return false;
}

void
mcp_servers_read(struct mcp_servers *servers, const struct doc *tree,
		 struct problems *problems)
{
	size_t count = is_readable(tree, problems) ? tree->count : 0;

	*servers = (struct mcp_servers){ 0 };
	servers->list = xcalloc(count + 1, sizeof *servers->list);
	servers->names = xcalloc(count + 1, sizeof *servers->names);
	for (size_t i = 0; i < count; i++)
		read_server(servers, tree->keys[i], tree->items[i], problems);
	for (size_t i = 0; i < servers->count; i++)
		servers->names[i] = servers->list[i].name;
}

static void
texts_fini(struct texts *texts)
{
	for (size_t i = 0; i < texts->count; i++)
		free(texts->list[i]);
	free(texts->list);
}

static void
server_fini(struct mcp_server *server)
{
	free(server->name);
	texts_fini(&server->command);
	texts_fini(&server->pass);
	free(server->cwd);
	free(server->url);
	named_values_fini(&server->env);
	named_values_fini(&server->headers);
	option_fini(oauth_table, &server->oauth);
}

void
mcp_servers_fini(struct mcp_servers *servers)
{
	for (size_t i = 0; i < servers->count; i++)
		server_fini(&servers->list[i]);
	free(servers->list);
	free(servers->names);
	*servers = (struct mcp_servers){ 0 };
}

const struct mcp_server *
mcp_server_find(const struct mcp_servers *servers, const char *name, size_t len)
{
	for (size_t i = 0; i < servers->count; i++)
		if (strlen(servers->list[i].name) == len &&
		    memcmp(servers->list[i].name, name, len) == 0)
			return &servers->list[i];
	return NULL;
}

void
mcp_servers_mask(const struct mcp_servers *servers, struct mask *mask)
{
	for (size_t i = 0; i < servers->count; i++) {
		named_values_mask(&servers->list[i].env, mask);
		named_values_mask(&servers->list[i].headers, mask);
		if (servers->list[i].oauth.client_secret != NULL)
			mask_add(mask, servers->list[i].oauth.client_secret,
				 strlen(servers->list[i].oauth.client_secret));
	}
}
