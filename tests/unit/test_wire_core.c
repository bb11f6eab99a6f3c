/* The protocols of providers: a conversation as a request of each, and their events as
 * one reply. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "model/wire_core.h"

static struct json *
parse(const char *text)
{
	struct json *json = NULL;
	struct err err = { 0 };

	if (json_parse(text, strlen(text), &json, &err) < 0)
		fail_msg("%s: %s", err.text, text);
	return json;
}

static void
expect_json(struct json *json, const char *expected)
{
	struct json *wanted = parse(expected);
	char *text;

	if (!json_equal(json, wanted)) {
		text = json_text(json);
		fail_msg("expected %s\ngot      %s", expected, text);
	}
	json_unref(&wanted);
	json_unref(&json);
}

/* A question, an answer with two calls, what the tools said. */
static void
make_talk(struct talk *talk, const struct json *schema)
{
	struct heard reply = { 0 };
	struct heard_call *call;

	*talk = (struct talk){ .system = strdup("Be kind."),
			       .max_tokens = 100,
			       .has_temperature = true,
			       .temperature = 0.5,
			       .schema = schema };
	talk_offer(talk, "git.log", "the history", parse("{\"type\":\"object\"}"));
	talk_offer(talk, "git.log", "again", json_new_object());
	talk_ask(talk, "What now?");
	heard_text(&reply, "Let me see.", 11);
	call = heard_call(&reply, 4);
	heard_name(call, "c1", "git_log");
	heard_arguments(&reply, call, "{\"range\":", 9);
	heard_arguments(&reply, call, "\"a\"}", 4);
	call = heard_call(&reply, 5);
	heard_name(call, "c2", "git_log");
	heard_arguments(&reply, call, "{broken", 7);
	reply.calls[0].signature = strdup("sig");
	talk_reply(talk, &reply);
	heard_fini(&reply);
	talk_results(talk);
	talk_result(talk, 0, "a log", 5, false);
	talk_result(talk, 1, "no JSON", 7, true);
}

/* Names that providers would take for the same, and names that are too long for them.
 */
static void
test_names_on_the_wire_are_told_apart(void **state)
{
	struct talk talk = { 0 };
	char *longest = xprintf("mcp.s.%0100d", 1),
	     *longer = xprintf("mcp.s.%0101d", 1);
	const char *const names[] = { "mcp.a.b_c", "mcp.a_b.c", "mcp.a.b.c",
				      longest,     longer,      "mcp.a.b_c" };

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		talk_offer(&talk, names[i], "", json_new_object());
	assert_int_equal(talk.tools_count, 5);
	assert_string_equal(talk.tools[0].wire_name, "mcp_a_b_c");
	assert_string_equal(talk.tools[1].wire_name, "mcp_a_b_c_2");
	assert_string_equal(talk.tools[2].wire_name, "mcp_a_b_c_3");
	for (size_t i = 0; i < talk.tools_count; i++) {
		assert_true(strlen(talk.tools[i].wire_name) <= 64);
		assert_ptr_equal(talk_tool(&talk, talk.tools[i].wire_name),
				 &talk.tools[i]);
		assert_string_equal(talk.tools[i].name, names[i]);
	}
	free(longest);
	free(longer);
	talk_fini(&talk);
}

static void
expect_body(const struct wire *wire, const char *base_url, const char *schema,
	    const char *url, const char *body)
{
	const struct wire_request request = { base_url, "m/1", true };
	struct json *rules = schema != NULL ? parse(schema) : NULL;
	struct talk talk;
	struct buf said = { 0 };

	make_talk(&talk, rules);
	wire->url(&request, &said);
	assert_string_equal(buf_text(&said), url);
	expect_json(wire->body(&request, &talk), body);
	buf_fini(&said);
	talk_fini(&talk);
	json_unref(&rules);
}

static void
test_requests_of_anthropic(void **state)
{
	(void)state;
	expect_body(
	    &wire_anthropic, "http://h", "{\"type\":\"object\"}",
	    "http://h/v1/messages",
	    "{\"model\":\"m/1\",\"max_tokens\":100,\"stream\":true,\"system\":\"Be "
	    "kind.\",\"temperature\":0.5,\"messages\":["
	    "{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"What "
	    "now?\"}]},"
	    "{\"role\":\"assistant\",\"content\":[{\"type\":\"text\",\"text\":\"Let me "
	    "see.\"},"
	    "{\"type\":\"tool_use\",\"id\":\"c1\",\"name\":\"git_log\",\"input\":{"
	    "\"range\":\"a\"}},"
	    "{\"type\":\"tool_use\",\"id\":\"c2\",\"name\":\"git_log\",\"input\":{}}]},"
	    "{\"role\":\"user\",\"content\":[{\"type\":\"tool_result\",\"tool_use_id\":"
	    "\"c1\",\"content\":\"a log\"},"
	    "{\"type\":\"tool_result\",\"tool_use_id\":\"c2\",\"content\":\"no JSON\","
	    "\"is_error\":true}]}],"
	    "\"tools\":[{\"name\":\"git_log\",\"description\":\"the history\","
	    "\"input_schema\":{\"type\":\"object\"}}]}");
	expect_body(
	    &wire_anthropic, "http://h/v1", NULL, "http://h/v1/messages",
	    "{\"model\":\"m/1\",\"max_tokens\":100,\"stream\":true,\"system\":\"Be "
	    "kind.\",\"temperature\":0.5,\"messages\":["
	    "{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"What "
	    "now?\"}]},"
	    "{\"role\":\"assistant\",\"content\":[{\"type\":\"text\",\"text\":\"Let me "
	    "see.\"},"
	    "{\"type\":\"tool_use\",\"id\":\"c1\",\"name\":\"git_log\",\"input\":{"
	    "\"range\":\"a\"}},"
	    "{\"type\":\"tool_use\",\"id\":\"c2\",\"name\":\"git_log\",\"input\":{}}]},"
	    "{\"role\":\"user\",\"content\":[{\"type\":\"tool_result\",\"tool_use_id\":"
	    "\"c1\",\"content\":\"a log\"},"
	    "{\"type\":\"tool_result\",\"tool_use_id\":\"c2\",\"content\":\"no JSON\","
	    "\"is_error\":true}]}],"
	    "\"tools\":[{\"name\":\"git_log\",\"description\":\"the history\","
	    "\"input_schema\":{\"type\":\"object\"}}]}");
}

static void
test_requests_of_openai(void **state)
{
	(void)state;
	expect_body(
	    &wire_openai, "http://h", "{\"type\":\"object\"}",
	    "http://h/v1/chat/completions",
	    "{\"model\":\"m/1\",\"messages\":[{\"role\":\"system\",\"content\":\"Be "
	    "kind.\"},"
	    "{\"role\":\"user\",\"content\":\"What now?\"},"
	    "{\"role\":\"assistant\",\"content\":\"Let me see.\",\"tool_calls\":["
	    "{\"id\":\"c1\",\"type\":\"function\",\"function\":{\"name\":\"git_log\","
	    "\"arguments\":\"{\\\"range\\\":\\\"a\\\"}\"}},"
	    "{\"id\":\"c2\",\"type\":\"function\",\"function\":{\"name\":\"git_log\","
	    "\"arguments\":\"{}\"}}]},"
	    "{\"role\":\"tool\",\"tool_call_id\":\"c1\",\"content\":\"a log\"},"
	    "{\"role\":\"tool\",\"tool_call_id\":\"c2\",\"content\":\"no JSON\"}],"
	    "\"stream\":true,\"stream_options\":{\"include_usage\":true},\"max_"
	    "tokens\":"
	    "100,\"temperature\":0.5,"
	    "\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"git_log\","
	    "\"description\":\"the history\",\"parameters\":{\"type\":\"object\"}}}],"
	    "\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"name\":"
	    "\"answer\",\"schema\":{\"type\":\"object\"}}}}");
}

static void
test_requests_of_responses(void **state)
{
	(void)state;
	expect_body(
	    &wire_responses, "http://h/proxy/v2", "{\"type\":\"array\"}",
	    "http://h/proxy/v2/responses",
	    "{\"model\":\"m/1\",\"input\":[{\"role\":\"user\",\"content\":\"What "
	    "now?\"},"
	    "{\"role\":\"assistant\",\"content\":\"Let me see.\"},"
	    "{\"type\":\"function_call\",\"call_id\":\"c1\",\"name\":\"git_log\","
	    "\"arguments\":\"{\\\"range\\\":\\\"a\\\"}\"},"
	    "{\"type\":\"function_call\",\"call_id\":\"c2\",\"name\":\"git_log\","
	    "\"arguments\":\"{}\"},"
	    "{\"type\":\"function_call_output\",\"call_id\":\"c1\",\"output\":\"a "
	    "log\"},"
	    "{\"type\":\"function_call_output\",\"call_id\":\"c2\",\"output\":\"no "
	    "JSON\"}],"
	    "\"stream\":true,\"store\":false,\"max_output_tokens\":100,"
	    "\"instructions\":\"Be kind.\",\"temperature\":0.5,"
	    "\"tools\":[{\"type\":\"function\",\"name\":\"git_log\",\"description\":"
	    "\"the history\",\"parameters\":{\"type\":\"object\"},\"strict\":false}]}");
}

static void
test_requests_of_gemini(void **state)
{
	(void)state;
	expect_body(
	    &wire_gemini, "http://h", "{\"type\":\"object\"}",
	    "http://h/v1beta/models/m%2F1:streamGenerateContent?alt=sse",
	    "{\"contents\":[{\"role\":\"user\",\"parts\":[{\"text\":\"What now?\"}]},"
	    "{\"role\":\"model\",\"parts\":[{\"text\":\"Let me see.\"},"
	    "{\"functionCall\":{\"name\":\"git_log\",\"args\":{\"range\":\"a\"}},"
	    "\"thoughtSignature\":\"sig\"},"
	    "{\"functionCall\":{\"name\":\"git_log\",\"args\":{}}}]},"
	    "{\"role\":\"user\",\"parts\":[{\"functionResponse\":{\"name\":\"git_log\","
	    "\"response\":{\"result\":\"a log\"}}},"
	    "{\"functionResponse\":{\"name\":\"git_log\",\"response\":{\"error\":\"no "
	    "JSON\"}}}]}],"
	    "\"systemInstruction\":{\"parts\":[{\"text\":\"Be kind.\"}]},"
	    "\"tools\":[{\"functionDeclarations\":[{\"name\":\"git_log\","
	    "\"description\":\"the history\",\"parametersJsonSchema\":{\"type\":"
	    "\"object\"}}]}],"
	    "\"generationConfig\":{\"maxOutputTokens\":100,\"temperature\":0.5}}");
}

static void
test_a_schema_is_asked_of_gemini_where_there_are_no_tools(void **state)
{
	struct json *schema = parse("{\"type\":\"object\"}");
	const struct wire_request request = { "http://h/v1", "m", true };
	struct talk talk = { .max_tokens = 9, .schema = schema };
	struct buf url = { 0 };

	(void)state;
	talk_ask(&talk, "q");
	wire_gemini.url(&request, &url);
	assert_string_equal(buf_text(&url),
			    "http://h/v1/models/m:streamGenerateContent?alt=sse");
	expect_json(
	    wire_gemini.body(&request, &talk),
	    "{\"contents\":[{\"role\":\"user\",\"parts\":[{\"text\":\"q\"}]}],"
	    "\"generationConfig\":{\"maxOutputTokens\":9,\"responseMimeType\":"
	    "\"application/json\",\"responseJsonSchema\":{\"type\":\"object\"}}}");
	buf_fini(&url);
	talk_fini(&talk);
	json_unref(&schema);
}

static void
test_openai_itself_has_another_name_for_the_limit(void **state)
{
	const struct wire_request request = { "https://api.openai.com", "m", false };
	struct talk talk = { .max_tokens = 9 };
	struct json *body;

	(void)state;
	talk_ask(&talk, "q");
	body = wire_openai.body(&request, &talk);
	assert_int_equal(json_int(json_get(body, "max_completion_tokens")), 9);
	assert_false(json_has(body, "max_tokens"));
	json_unref(&body);
	talk_fini(&talk);
}

/* ---- answers ---- */

struct stream {
	const char *what;
	const struct wire *wire;
	const char *events[10]; /* data; the type is in it */
	const char *said;       /* text | calls | stop, tokens | trouble */
};

static const char *const stops[] = { "goes on", "ended", "tools", "length", "refused" };

static void
describe(const struct heard *reply, struct buf *out)
{
	buf_add(out, buf_text(&reply->text), reply->text.len);
	for (size_t i = 0; i < reply->calls_count; i++)
		buf_printf(out, " %s=%s%s",
			   reply->calls[i].id != NULL ? reply->calls[i].id : "-",
			   reply->calls[i].name != NULL ? reply->calls[i].name : "-",
			   buf_text(&reply->calls[i].arguments));
	buf_printf(out, " | %s %lld+%lld/%lld | %s", stops[reply->stop],
		   (long long)reply->usage.input, (long long)reply->usage.output,
		   (long long)reply->usage.cache_read,
		   reply->trouble.kind == TROUBLE_NONE
		       ? "good"
		       : trouble_code(reply->trouble.kind));
}

#define A_START(in)                                                                    \
	"{\"type\":\"message_start\",\"message\":{\"usage\":{\"input_tokens\":" in     \
	",\"cache_read_input_tokens\":3,\"cache_creation_input_tokens\":2,"            \
	"\"output_tokens\":1}}}"
#define A_TEXT(text)                                                                   \
	"{\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_"    \
	"delta\",\"text\":\"" text "\"}}"
#define A_STOP(reason)                                                                 \
	"{\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"" reason "\"},"      \
	"\"usage\":{\"output_tokens\":9}}"
#define A_END   "{\"type\":\"message_stop\"}"
#define O(more) "{\"choices\":[{\"index\":0," more "}]}"
#define R(number, type, more)                                                          \
	"{\"type\":\"response." type "\",\"sequence_number\":" number more "}"
#define G(parts, more)                                                                 \
	"{\"candidates\":[{\"content\":{\"parts\":[" parts "]}" more "}]}"

static const struct stream streams[] = {
	{ "text",
	  &wire_anthropic,
	  { A_START("10"), "{\"type\":\"ping\"}", A_TEXT("He"), A_TEXT("llo"),
	    A_STOP("end_turn"), A_END },
	  "Hello | ended 15+9/3 | good" },
	{ "cut before the end",
	  &wire_anthropic,
	  { A_START("10"), A_TEXT("He"), A_STOP("end_turn") },
	  "He | ended 15+9/3 | stream_cut" },
	{ "an end without a reason",
	  &wire_anthropic,
	  { A_START("10"), A_TEXT("He"), A_END },
	  "He | goes on 15+1/3 | stream_cut" },
	{ "a call",
	  &wire_anthropic,
	  { A_START("1"),
	    "{\"type\":\"content_block_start\",\"index\":1,\"content_block\":{\"type\":"
	    "\"tool_use\",\"id\":\"t\",\"name\":\"n\"}}",
	    "{\"type\":\"content_block_delta\",\"index\":1,\"delta\":{\"partial_json\":"
	    "\"{\\\"a\\\"\"}}",
	    "{\"type\":\"content_block_delta\",\"index\":1,\"delta\":{\"partial_json\":"
	    "\":1}\"}}",
	    "{\"type\":\"content_block_stop\",\"index\":1}", A_STOP("tool_use"),
	    A_END },
	  " t=n{\"a\":1} | tools 6+9/3 | good" },
	{ "tools without a call",
	  &wire_anthropic,
	  { A_STOP("tool_use"), A_END },
	  " | tools 0+9/0 | provider_protocol" },
	{ "thinking is no text",
	  &wire_anthropic,
	  { "{\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":"
	    "\"thinking_delta\",\"thinking\":\"hm\"}}",
	    A_TEXT("x"), A_STOP("max_tokens"), A_END },
	  "x | length 0+9/0 | good" },
	{ "a reason nobody knows",
	  &wire_anthropic,
	  { A_TEXT("x"), A_STOP("tired"), A_END },
	  "x | ended 0+9/0 | good" },
	{ "an error in it",
	  &wire_anthropic,
	  { A_TEXT("x"),
	    "{\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\"}}", A_END },
	  "x | goes on 0+0/0 | overloaded" },
	{ "twice the same beginning",
	  &wire_anthropic,
	  { A_START("1"), A_TEXT("x"), A_START("1") },
	  "x | goes on 6+1/3 | provider_protocol" },
	{ "garbage",
	  &wire_anthropic,
	  { "{\"a\":" },
	  " | goes on 0+0/0 | provider_protocol" },
	{ "wrong types everywhere",
	  &wire_anthropic,
	  { "{\"type\":7,\"message\":[],\"delta\":5}",
	    "{\"type\":\"content_block_delta\",\"delta\":{\"text\":5,\"partial_json\":{"
	    "}}}",
	    "{\"type\":\"message_delta\",\"delta\":{\"stop_reason\":[1]},\"usage\":{"
	    "\"output_tokens\":-5}}",
	    "{\"type\":\"message_start\",\"message\":\"x\"}" },
	  " | goes on 0+0/0 | stream_cut" },

	{ "text",
	  &wire_openai,
	  { O("\"delta\":{\"role\":\"assistant\",\"content\":\"\"}"),
	    O("\"delta\":{\"content\":\"Hello\"}"),
	    O("\"delta\":{},\"finish_reason\":\"stop\""),
	    "{\"choices\":[],\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":2,"
	    "\"prompt_tokens_details\":{\"cached_tokens\":4}}}",
	    "[DONE]" },
	  "Hello | ended 5+2/4 | good" },
	{ "cut",
	  &wire_openai,
	  { O("\"delta\":{\"content\":\"Hello\"}"), "[DONE]" },
	  "Hello | goes on 0+0/0 | stream_cut" },
	{ "calls, the second without an index",
	  &wire_openai,
	  { O("\"delta\":{\"tool_calls\":[{\"index\":0,\"id\":\"a\",\"function\":{"
	      "\"name\":\"n\",\"arguments\":\"\"}}]}"),
	    O("\"delta\":{\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\"{"
	      "}\"}}]}"),
	    O("\"delta\":{\"tool_calls\":[{\"index\":1,\"id\":\"b\",\"function\":{"
	      "\"name\":\"m\",\"arguments\":\"[\"}}]}"),
	    O("\"delta\":{},\"finish_reason\":\"stop\"") },
	  " a=n{} b=m[ | tools 0+0/0 | good" },
	{ "a refusal",
	  &wire_openai,
	  { O("\"delta\":{\"refusal\":\"No.\"},\"finish_reason\":\"stop\"") },
	  "No. | refused 0+0/0 | good" },
	{ "a filter",
	  &wire_openai,
	  { O("\"delta\":{\"content\":\"x\"},\"finish_reason\":\"content_filter\"") },
	  "x | refused 0+0/0 | good" },
	{ "an error in it",
	  &wire_openai,
	  { O("\"delta\":{\"content\":\"x\"}"),
	    "{\"error\":{\"message\":\"m\",\"code\":\"rate_limit_exceeded\"}}" },
	  "x | goes on 0+0/0 | rate_limited" },

	{ "text that comes twice",
	  &wire_responses,
	  { R("0", "created", ""), R("1", "output_text.delta", ",\"delta\":\"He\""),
	    R("1", "output_text.delta", ",\"delta\":\"He\""),
	    R("2", "output_text.delta", ",\"delta\":\"llo\""),
	    R("3", "completed",
	      ",\"response\":{\"usage\":{\"input_tokens\":7,\"output_tokens\":3,"
	      "\"input_tokens_details\":{\"cached_tokens\":1}}}") },
	  "Hello | ended 7+3/1 | good" },
	{ "a call, whole and in pieces",
	  &wire_responses,
	  { R("1", "output_item.added",
	      ",\"output_index\":1,\"item\":{\"type\":\"function_call\",\"call_id\":"
	      "\"a\",\"name\":\"n\"}"),
	    R("2", "function_call_arguments.delta",
	      ",\"output_index\":1,\"delta\":\"{}\""),
	    R("3", "output_item.done",
	      ",\"output_index\":1,\"item\":{\"type\":\"function_call\",\"call_id\":"
	      "\"a\",\"name\":\"n\",\"arguments\":\"{}\"}"),
	    R("4", "output_item.done",
	      ",\"output_index\":2,\"item\":{\"type\":\"function_call\",\"call_id\":"
	      "\"b\",\"name\":\"m\",\"arguments\":\"{\\\"x\\\":1}\"}"),
	    R("5", "completed", "") },
	  " a=n{} b=m{\"x\":1} | tools 0+0/0 | good" },
	{ "incomplete",
	  &wire_responses,
	  { R("1", "incomplete",
	      ",\"response\":{\"incomplete_details\":{\"reason\":\"max_output_"
	      "tokens\"}}") },
	  " | length 0+0/0 | good" },
	{ "failed",
	  &wire_responses,
	  { R("1", "failed",
	      ",\"response\":{\"error\":{\"code\":\"server_error\",\"message\":\"m\"}"
	      "}") },
	  " | goes on 0+0/0 | provider_error" },
	{ "cut",
	  &wire_responses,
	  { R("1", "output_text.delta", ",\"delta\":\"He\"") },
	  "He | goes on 0+0/0 | stream_cut" },

	{ "text, and thoughts that are none",
	  &wire_gemini,
	  { G("{\"text\":\"hm\",\"thought\":true},{\"text\":\"He\"}", ""),
	    G("{\"text\":\"llo\"}", ",\"finishReason\":\"STOP\""),
	    "{\"usageMetadata\":{\"promptTokenCount\":4,\"candidatesTokenCount\":2,"
	    "\"thoughtsTokenCount\":3,\"cachedContentTokenCount\":1}}" },
	  "Hello | ended 4+5/1 | good" },
	{ "calls",
	  &wire_gemini,
	  { G("{\"functionCall\":{\"name\":\"n\",\"args\":{\"a\":1}}},{"
	      "\"functionCall\":"
	      "{\"name\":\"m\"}}",
	      ",\"finishReason\":\"STOP\"") },
	  " -=n{\"a\":1} -=m{} | tools 0+0/0 | good" },
	{ "a filter",
	  &wire_gemini,
	  { G("", ",\"finishReason\":\"SAFETY\"") },
	  " | refused 0+0/0 | good" },
	{ "a question that is blocked",
	  &wire_gemini,
	  { "{\"promptFeedback\":{\"blockReason\":\"OTHER\"}}" },
	  " | refused 0+0/0 | good" },
	{ "an error",
	  &wire_gemini,
	  { "{\"error\":{\"status\":\"RESOURCE_EXHAUSTED\",\"message\":\"m\"}}" },
	  " | goes on 0+0/0 | rate_limited" },
	{ "cut",
	  &wire_gemini,
	  { G("{\"text\":\"He\"}", "") },
	  "He | goes on 0+0/0 | stream_cut" },
};

static void
test_streams(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof streams / sizeof streams[0]; i++) {
		struct heard reply = { 0 };
		struct buf said = { 0 };

		for (size_t k = 0; streams[i].events[k] != NULL; k++)
			wire_take(streams[i].wire, &reply, "message",
				  streams[i].events[k], strlen(streams[i].events[k]));
		heard_close(&reply);
		describe(&reply, &said);
		if (strcmp(buf_text(&said), streams[i].said) != 0)
			fail_msg("%zu, %s:\nexpected %s\ngot      %s", i,
				 streams[i].what, streams[i].said, buf_text(&said));
		buf_fini(&said);
		heard_fini(&reply);
	}
}

static void
test_answers_have_limits(void **state)
{
	static char text[65536];
	struct heard large = { 0 }, many = { 0 };
	struct heard_call *call;

	(void)state;
	for (int i = 0; i < 100; i++)
		heard_text(&large, text, sizeof text);
	assert_int_equal(large.trouble.kind, TROUBLE_TOO_LARGE);
	assert_true(large.text.len <= HEARD_BYTES_MAX);
	for (int i = 0; i < HEARD_CALLS_MAX; i++) {
		call = heard_call(&many, i);
		assert_non_null(call);
	}
	assert_null(heard_call(&many, HEARD_CALLS_MAX));
	assert_non_null(heard_call(&many, 3));
	heard_usage(&many, -1, INT64_MAX, 5);
	assert_int_equal(many.usage.input, 0);
	assert_int_equal(many.usage.output, 1000000000);
	heard_fini(&large);
	heard_fini(&many);
}

static void
test_results_are_cut_between_characters(void **state)
{
	struct talk talk = { 0 };
	struct heard reply = { 0 };
	struct buf text = { 0 };
	const char *kept;

	(void)state;
	heard_name(heard_call(&reply, 0), NULL, NULL);
	talk_ask(&talk, "q");
	talk_reply(&talk, &reply);
	talk_results(&talk);
	buf_char(&text, 'x');
	while (text.len <= TALK_RESULT_MAX)
		buf_str(&text, "\xe2\x82\xac");
	talk_result(&talk, 0, text.data, text.len, false);
	kept = strchr(talk.turns[2].results[0].text, '\n');
	assert_non_null(kept);
	assert_int_equal((kept - talk.turns[2].results[0].text - 1) % 3, 0);
	assert_string_equal(talk.turns[1].calls[0].name, "unnamed");
	assert_true(talk_size(&talk) > TALK_RESULT_MAX);
	heard_fini(&reply);
	talk_fini(&talk);
	buf_fini(&text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names_on_the_wire_are_told_apart),
		cmocka_unit_test(test_requests_of_anthropic),
		cmocka_unit_test(test_requests_of_openai),
		cmocka_unit_test(test_requests_of_responses),
		cmocka_unit_test(test_requests_of_gemini),
		cmocka_unit_test(
		    test_a_schema_is_asked_of_gemini_where_there_are_no_tools),
		cmocka_unit_test(test_openai_itself_has_another_name_for_the_limit),
		cmocka_unit_test(test_streams),
		cmocka_unit_test(test_answers_have_limits),
		cmocka_unit_test(test_results_are_cut_between_characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
