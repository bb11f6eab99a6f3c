/* What this server speaks, for programs: OpenAPI for HTTP, AsyncAPI for the WebSocket.
 * No key is asked: whoever wants to send one has to read them first. */
#include <string.h>

#include "base/err.h"
#include "front/documents.h"
#include "front/etag_core.h"
#include "front/route.h"

static const struct document *
find(const char *name)
{
	const struct document *document = documents;

	while (document->name != NULL && strcmp(document->name, name) != 0)
		document++;
	if (document->name == NULL)
		bug("the document \"%s\" is not embedded", name);
	return document;
}

static void
answer(struct exchange *exchange, const char *name)
{
	const char *known = exchange_header(exchange, "If-None-Match");
	const struct document *document = find(name);

	reply_header(exchange, "ETag", document->etag);
	reply_header(exchange, "Cache-Control", "no-cache");
	if (known != NULL && etag_is_listed(known, document->etag))
		reply_empty(exchange, 304);
	else
		reply_json_text(exchange, 200, document->text, document->len);
}

static void
on_openapi(struct exchange *exchange)
{
	answer(exchange, "openapi");
}

static void
on_asyncapi(struct exchange *exchange)
{
	answer(exchange, "asyncapi");
}

/* clang-format off */
const struct route routes_documents[] = {
	{ "GET", "/api/openapi.json",  ROLE_NONE, 0, false, on_openapi,  NULL },
	{ "GET", "/api/asyncapi.json", ROLE_NONE, 0, false, on_asyncapi, NULL },
	{ 0 },
};
/* clang-format on */
