/* What a trusted proxy says before the first request (http.proxy_protocol): for whom
 * the connection is. See proxy_core.h. */
#include "front/http_conn_priv.h"
#include "front/listen.h"
#include "front/proxy_core.h"

static enum http_intro
name_peer(struct http_conn *conn, const struct proxy_header *header)
{
	struct peer peer;

	conn->unnamed = false;
	conn->input_used = header->len;
	if (!header->spoken)
		return HTTP_INTRO_DONE;
	peer = peers_named(listener_peers(conn->listener), header->source);
	if (!listener_admit(conn->listener, &peer))
		return HTTP_INTRO_CROWDED;
	peers_remove(listener_peers(conn->listener), &conn->peer);
	conn->peer = peer;
	return HTTP_INTRO_DONE;
}

/* The one who sends this is a proxy of ours, set up in another way than we are: a
 * person should know, but not once for each connection. */
static void
refuse(struct http_conn *conn, const char *why)
{
	listener_misunderstood(conn->listener, conn->peer.address, why);
	http_conn_cut(conn);
}

enum http_intro
http_intro_read(struct http_conn *conn)
{
	const struct buf *input = stream_input(conn->stream);
	struct proxy_header header;
	enum proxy_verdict verdict;

	if (!conn->unnamed)
		return HTTP_INTRO_DONE;
	verdict = proxy_parse(buf_text(input), input->len, &header);
	if (verdict == PROXY_DONE)
		return name_peer(conn, &header);
	if (verdict == PROXY_BAD)
		refuse(conn, header.why);
	else if (conn->input_ended)
		http_conn_cut(conn);
	return HTTP_INTRO_MORE;
}
