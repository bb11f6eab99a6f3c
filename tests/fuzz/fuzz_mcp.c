/* What a server of MCP may send, in pieces as the first byte says: lines, messages, and
 * whatever may be made of them. Nothing reads past its end, every limit holds, and what
 * we answer is JSON again. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "mcp/lines_core.h"
#include "mcp/mcp_core.h"
#include "mcp/result_core.h"
#include "mcp/tools_core.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void
check_text(const struct buf *text)
{
	if (!utf8_valid(buf_text(text), text->len) || text->len > 8 * MCP_WORDS_MAX)
		abort();
}

static void
check_json(struct json *json)
{
	char *text = json_text(json);
	struct json *again = NULL;
	struct err err = { 0 };

	if (json != NULL && json_parse(text, strlen(text), &again, &err) < 0)
		abort();
	free(text);
	json_unref(&again);
	json_unref(&json);
}

static void
use_result(struct mcp_tools *tools, const struct json *result)
{
	struct mcp_greeting greeting;
	struct buf words = { 0 };
	struct err err = { 0 };
	const char *cursor;

	mcp_greeting(result, &greeting, &err);
	mcp_tools_add(tools, result, &cursor, &err);
	for (size_t i = 0; i < tools->count && i < 3; i++)
		mcp_tool_check(&tools->list[i], json_get(result, "args"), &err);
	if (tools->count > MCP_TOOLS_MAX)
		abort();
	if (mcp_failed(result, &words))
		check_text(&words);
	buf_fini(&words);
	check_json(mcp_output(result));
}

static void
use_call(const struct mcp_message *message)
{
	struct buf text = { 0 };

	mcp_progress(message->params, &text);
	check_text(&text);
	buf_clear(&text);
	mcp_log(message->params, &text);
	check_text(&text);
	buf_fini(&text);
	if (message->kind == MCP_REQUEST)
		check_json(mcp_reply(message, mcp_elicited(message->params, true)));
}

static void
on_line(void *context, const char *line, size_t len)
{
	struct mcp_message message;
	struct json *json = NULL;
	struct err err = { 0 };

	if (json_parse(line, len, &json, &err) == 0 &&
	    mcp_read(json, &message, &err) == 0) {
		if (message.kind == MCP_RESULT)
			use_result(context, message.result);
		else if (message.kind != MCP_ERROR)
			use_call(&message);
	}
	json_unref(&json);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct mcp_lines lines = { 0 };
	struct mcp_tools tools = { 0 };
	struct err err = { 0 };
	size_t piece;

	if (len == 0)
		return 0;
	piece = data[0] % 32 + 1;
	for (size_t at = 1; at < len; at += piece)
		mcp_lines_feed(&lines, (const char *)data + at,
			       len - at < piece ? len - at : piece, on_line, &tools,
			       &err);
	mcp_lines_fini(&lines);
	mcp_tools_fini(&tools);
	return 0;
}
