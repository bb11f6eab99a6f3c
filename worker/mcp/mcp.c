/* All servers of a worker. See mcp.h. */
#include "mcp/mcp.h"

#include <stdlib.h>

#include "base/xalloc.h"
#include "mcp/session.h"

struct mcp {
	struct mcp_conf conf;
	struct mcp_session *
	    *sessions; /* as settings->mcp has them; NULL: not used yet */
	size_t count;
	bool leaving;
};

struct mcp *
mcp_new(const struct mcp_conf *conf)
{
	struct mcp *mcp = xcalloc(1, sizeof *mcp);

	mcp->conf = *conf;
	mcp->count = conf->settings->mcp.count;
	mcp->sessions = xcalloc(mcp->count + 1, sizeof(struct mcp_session *));
	return mcp;
}

void
mcp_free(struct mcp **mcp_p)
{
	struct mcp *mcp = *mcp_p;

	if (mcp == NULL)
		return;
	*mcp_p = NULL;
	for (size_t i = 0; i < mcp->count; i++)
		mcp_session_free(&mcp->sessions[i]);
	free(mcp->sessions);
	free(mcp);
}

static bool
all_down(const struct mcp *mcp)
{
	for (size_t i = 0; i < mcp->count; i++)
		if (mcp->sessions[i] != NULL && !mcp_session_is_down(mcp->sessions[i]))
			return false;
	return true;
}

static void
on_ended(void *context)
{
	struct mcp *mcp = context;

	if (mcp->leaving && all_down(mcp))
		mcp->conf.on_idle(mcp->conf.context);
}

bool
mcp_leave(struct mcp *mcp)
{
	if (!mcp->leaving)
		for (size_t i = 0; i < mcp->count; i++)
			if (mcp->sessions[i] != NULL)
				mcp_session_leave(mcp->sessions[i]);
	mcp->leaving = true;
	return all_down(mcp);
}

static struct mcp_session *
session_of(struct mcp *mcp, const struct mcp_server *server)
{
	size_t index = (size_t)(server - mcp->conf.settings->mcp.list);
	struct mcp_wire_conf conf = {
		.loop = mcp->conf.loop,
		.settings = mcp->conf.settings,
		.programs = mcp->conf.programs,
		.httpc = mcp->conf.httpc,
		.mask = mcp->conf.mask,
		.server = server,
	};

	if (mcp->sessions[index] == NULL)
		mcp->sessions[index] = mcp_session_new(&conf, on_ended, mcp);
	return mcp->sessions[index];
}

struct mcp_call *
mcp_call_new(struct mcp *mcp, const struct mcp_server *server, const char *tool,
	     const struct json *arguments, const char *key,
	     const struct mcp_call_events *events, void *context)
{
	return mcp_session_call(session_of(mcp, server), tool, arguments, key, events,
				context);
}

struct mcp_call *
mcp_list(struct mcp *mcp, const struct mcp_server *server,
	 const struct mcp_call_events *events, void *context)
{
	return mcp_session_call(session_of(mcp, server), NULL, NULL, NULL, events,
				context);
}

const struct mcp_tools *
mcp_tools(struct mcp *mcp, const struct mcp_server *server)
{
	return mcp_session_tools(session_of(mcp, server));
}
