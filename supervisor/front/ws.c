/* What all WebSockets share, from its beginning to its end. See ws.h. */
#include "front/ws.h"

#include <stdlib.h>

#include "base/xalloc.h"
#include "front/ws_priv.h"

struct ws *
ws_new(struct front *front)
{
	struct ws *ws = xcalloc(1, sizeof *ws);

	ws->front = front;
	ws->packer = ws_deflate_new();
	ws->audiences = map_new();
	list_init(&ws->clients);
	list_init(&ws->requests);
	return ws;
}

/* Nobody is left who could answer the requests: what they asked never calls back. */
void
ws_free(struct ws **ws_p)
{
	struct ws *ws = *ws_p;

	if (ws == NULL)
		return;
	*ws_p = NULL;
	if (!list_empty(&ws->clients))
		bug("WebSockets are still open");
	pg_forget(ws->front->read, ws);
	list_each_safe (link, &ws->requests)
		ws_request_end(container_of(link, struct ws_request, all));
	for (int dialect = 0; dialect < DIALECTS; dialect++)
		for (size_t i = 0; i < ws->encoded[dialect].count; i++)
			ws_text_unref(&ws->encoded[dialect].texts[i]);
	map_free(&ws->audiences, NULL);
	ws_deflate_free(&ws->packer);
	loop_defer(ws->front->loop, free, ws);
}

size_t
ws_count(const struct ws *ws)
{
	return ws->clients_count;
}
