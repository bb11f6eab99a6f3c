/* What agents print, in whatever pieces it comes: their answers, sessions, usage, and
 * what is no answer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "agent/parser_core.h"
#include "base/xalloc.h"

static const char *const verdicts[] = {
	[PARSER_ANSWERED] = "answered",   [PARSER_FAILED] = "failed",
	[PARSER_NO_RESULT] = "no result", [PARSER_BAD_OUTPUT] = "bad output",
	[PARSER_TOO_LONG] = "too long",
};

/* All that counts, as a line. */
static char *
tell(const struct parser *parser)
{
	const struct told *told = &parser->told;
	struct buf line = { 0 };

	buf_printf(&line, "%s", verdicts[parser_verdict(parser)]);
	if (told->text.len > 0)
		buf_printf(&line, " text=%s", buf_text(&told->text));
	if (told->words.len > 0)
		buf_printf(&line, " words=%s", buf_text(&told->words));
	if (told->session[0] != '\0')
		buf_printf(&line, " session=%s", told->session);
	if (told->model[0] != '\0')
		buf_printf(&line, " model=%s", told->model);
	if (told->has_usage)
		buf_printf(&line, " usage=%lld/%lld/%lld", (long long)told->usage.input,
			   (long long)told->usage.output,
			   (long long)told->usage.cache_read);
	if (told->has_usd)
		buf_printf(&line, " usd=%.4f", told->usd);
	if (told->rounds > 0)
		buf_printf(&line, " rounds=%d", told->rounds);
	if (told->activity.len > 0)
		buf_printf(&line, " activity=%s", buf_text(&told->activity));
	return buf_take(&line);
}

static void
expect(const char *format, const char *text, size_t len, const char *expected)
{
	static const size_t pieces[] = { 1, 7, 4096 };

	for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
		struct parser parser;
		char *told;

		assert_true(parser_init(&parser, format, 4096));
		for (size_t at = 0; at < len; at += pieces[i]) {
			size_t part = len - at < pieces[i] ? len - at : pieces[i];
			char *copy =
			    xmemdup(text + at, part); /* its ends are watched */

			parser_feed(&parser, copy, part);
			free(copy);
		}
		parser_end(&parser);
		told = tell(&parser);
		assert_string_equal(told, expected);
		free(told);
		parser_fini(&parser);
	}
}

struct row {
	const char *format, *text, *told;
};

#define CLAUDE_INIT                                                                    \
	"{\"type\":\"system\",\"subtype\":\"init\",\"session_id\":\"s-1\",\"model\":"  \
	"\"m\"}\n"
#define CLAUDE_TOOL                                                                    \
	"{\"type\":\"assistant\",\"message\":{\"id\":\"a\",\"content\":[{\"type\":"    \
	"\"tool_use\",\"name\":\"Bash\",\"input\":{\"command\":\"ls\"}}],\"usage\":{"  \
	"\"input_tokens\":3,\"cache_read_input_tokens\":4,\"output_tokens\":2}}}\n"

static const struct row rows[] = {
	/* Claude Code */
	{ "stream-json",
	  CLAUDE_INIT CLAUDE_TOOL CLAUDE_TOOL
	  "{\"type\":\"result\",\"subtype\":\"success\",\"is_error\":false,\"result\":"
	  "\"Done.\",\"session_id\":\"s-1\",\"total_cost_usd\":0.25,\"num_turns\":2,"
	  "\"usage\":{\"input_tokens\":10,\"cache_creation_input_tokens\":5,"
	  "\"cache_read_input_tokens\":100,\"output_tokens\":7}}",
	  "answered text=Done. session=s-1 model=m usage=115/7/100 usd=0.2500 rounds=2 "
	  "activity=Bash: ls" },
	{ "stream-json", CLAUDE_INIT CLAUDE_TOOL CLAUDE_TOOL,
	  "no result session=s-1 model=m usage=7/2/4 rounds=1 activity=Bash: ls" },
	{ "stream-json",
	  CLAUDE_INIT "{\"type\":\"result\",\"subtype\":\"success\",\"is_error\":true,"
		      "\"result\":\"Invalid API key\"}",
	  "failed words=Invalid API key session=s-1 model=m activity=begins" },
	{ "stream-json",
	  CLAUDE_INIT "{\"type\":\"result\",\"subtype\":\"error_max_turns\"}",
	  "failed words=error_max_turns session=s-1 model=m activity=begins" },
	{ "stream-json",
	  "{\"type\":\"result\",\"subtype\":\"success\",\"result\":\"\"}",
	  "no result" },
	{ "stream-json",
	  "{\"type\":\"result\",\"subtype\":\"success\",\"result\":\"x\","
	  "\"structured_output\":{\"a\":1}}",
	  "answered text={\"a\":1}" },
	/* Gemini CLI */
	{ "stream-json",
	  "{\"type\":\"init\",\"session_id\":\"g-1\",\"model\":\"flash\"}\n"
	  "{\"type\":\"message\",\"role\":\"user\",\"content\":\"do\"}\n"
	  "{\"type\":\"message\",\"role\":\"assistant\",\"content\":\"I look. \","
	  "\"delta\":true}\n"
	  "{\"type\":\"tool_use\",\"tool_name\":\"read_file\",\"parameters\":{"
	  "\"file_path\":\"a\\nb\"}}\n"
	  "{\"type\":\"error\",\"severity\":\"warning\",\"message\":\"loop\"}\n"
	  "{\"type\":\"message\",\"role\":\"assistant\",\"content\":\"It \","
	  "\"delta\":true}\n"
	  "{\"type\":\"message\",\"role\":\"assistant\",\"content\":\"is.\","
	  "\"delta\":true}\n"
	  "{\"type\":\"result\",\"status\":\"success\",\"stats\":{\"input_tokens\":9,"
	  "\"output_tokens\":3,\"cached\":2,\"total_tokens\":12}}\n",
	  "answered text=It is. session=g-1 model=flash usage=9/3/2 rounds=2 "
	  "activity=says: It " },
	{ "stream-json",
	  "{\"type\":\"result\",\"status\":\"error\",\"error\":{\"type\":\"Fatal\","
	  "\"message\":\"no key\"}}",
	  "failed words=no key rounds=1" },
	/* Codex */
	{ "jsonl",
	  "{\"type\":\"thread.started\",\"thread_id\":\"c-1\"}\n"
	  "{\"type\":\"turn.started\"}\n"
	  "{\"type\":\"error\",\"message\":\"Reconnecting 1/5\"}\n"
	  "{\"type\":\"item.started\",\"item\":{\"type\":\"command_execution\","
	  "\"command\":\"ls -l\"}}\n"
	  "{\"type\":\"item.completed\",\"item\":{\"type\":\"agent_message\",\"text\":"
	  "\"Ready.\"}}\n"
	  "{\"type\":\"turn.completed\",\"usage\":{\"input_tokens\":20,"
	  "\"cached_input_tokens\":8,\"output_tokens\":4}}\n",
	  "answered text=Ready. session=c-1 usage=20/4/8 rounds=1 activity=says: "
	  "Ready." },
	{ "jsonl",
	  "{\"type\":\"error\",\"message\":\"Reconnecting 1/5\"}\n"
	  "{\"type\":\"turn.failed\",\"error\":{\"message\":\"quota\"}}\n",
	  "failed words=quota" },
	/* opencode */
	{ "jsonl",
	  "{\"type\":\"step_start\",\"sessionID\":\"ses_1\",\"part\":{}}\n"
	  "{\"type\":\"text\",\"sessionID\":\"ses_1\",\"part\":{\"text\":\"I "
	  "look.\"}}\n"
	  "{\"type\":\"tool_use\",\"sessionID\":\"ses_1\",\"part\":{\"tool\":\"bash\","
	  "\"state\":{\"input\":{\"command\":\"ls\"}}}}\n"
	  "{\"type\":\"step_finish\",\"sessionID\":\"ses_1\",\"part\":{\"reason\":"
	  "\"tool-calls\",\"cost\":0.5,\"tokens\":{\"input\":5,\"output\":1,"
	  "\"reasoning\":1,\"cache\":{\"read\":2,\"write\":1}}}}\n"
	  "{\"type\":\"step_start\",\"sessionID\":\"ses_1\",\"part\":{}}\n"
	  "{\"type\":\"text\",\"sessionID\":\"ses_1\",\"part\":{\"text\":\"It is.\"}}\n"
	  "{\"type\":\"step_finish\",\"sessionID\":\"ses_1\",\"part\":{\"reason\":"
	  "\"stop\",\"cost\":0.25,\"tokens\":{\"input\":6,\"output\":2}}}\n",
	  "answered text=It is. session=ses_1 usage=14/4/2 usd=0.7500 rounds=2 "
	  "activity=says: It is." },
	{ "jsonl",
	  "{\"type\":\"error\",\"sessionID\":\"ses_1\",\"error\":{\"name\":"
	  "\"APIError\","
	  "\"data\":{\"message\":\"overloaded\"}}}",
	  "failed words=overloaded session=ses_1" },
	/* one's own */
	{ "jsonl",
	  "{\"type\":\"session\",\"id\":\"mine:1\"}\n"
	  "{\"type\":\"progress\",\"message\":\"half\"}\n"
	  "{\"type\":\"result\",\"text\":\"yes\",\"usage\":{\"inputTokens\":1,"
	  "\"outputTokens\":2,\"costUsd\":0.5}}",
	  "answered text=yes session=mine:1 usage=1/2/0 usd=0.5000 rounds=1 "
	  "activity=half" },
	{ "jsonl", "{\"type\":\"result\",\"text\":{\"a\":[1]}}",
	  "answered text={\"a\":[1]}" },
	{ "jsonl", "{\"type\":\"session\",\"id\":\"--model\"}", "no result" },
	{ "jsonl", "{\"type\":\"session\",\"id\":\"../x\"}", "no result" },
	{ "jsonl", "{\"type\":\"session\",\"id\":\"a b\"}", "no result" },
	{ "jsonl", "{\"type\":\"session\",\"id\":\"a*\"}", "no result" },
	/* what is nothing */
	{ "jsonl", "", "no result" },
	{ "jsonl", "\n\r\n\n", "no result" },
	{ "jsonl", "Please log in.\n", "bad output" },
	{ "jsonl", "[1]\n7\nnull\n", "bad output" },
	{ "jsonl", "{\"type\":7}\n{\"type\":\"new.thing\"}\n{}", "no result" },
	{ "jsonl", "Warning: old\r\n{\"type\":\"result\",\"text\":\"yes\"}\r\nbye",
	  "answered text=yes" },
	{ "jsonl", "{\"type\":\"text\",\"part\":7}\n{\"type\":\"item.started\"}",
	  "no result" },
	{ "jsonl",
	  "{\"type\":\"turn.completed\",\"usage\":{\"input_tokens\":-5,"
	  "\"output_tokens\":1e30}}",
	  "no result usage=0/1099511627776/0 rounds=1" },
	/* JSON at the end */
	{ "json",
	  "{\"type\":\"result\",\"subtype\":\"success\",\"is_error\":false,"
	  "\n\"result\":"
	  "\"Fine.\",\"session_id\":\"s-2\",\"total_cost_usd\":0.1,\"usage\":{"
	  "\"input_tokens\":1,\"output_tokens\":1}}\n",
	  "answered text=Fine. session=s-2 usage=1/1/0 usd=0.1000 rounds=1" },
	{ "json",
	  "{\"response\":\"Good.\",\"stats\":{\"models\":{\"pro\":{\"tokens\":{"
	  "\"prompt\":4,\"candidates\":2,\"cached\":1,\"thoughts\":1}}}}}",
	  "answered text=Good. usage=4/3/1 rounds=1" },
	{ "json", "[{\"type\":\"system\"},{\"type\":\"result\",\"result\":\"Fine.\"}]",
	  "answered text=Fine." },
	{ "json", "{\"error\":{\"message\":\"no key\"}}", "failed words=no key" },
	{ "json", "{\"is_error\":true,\"result\":\"sorry\"}", "failed words=sorry" },
	{ "json", "\"just text\"", "answered text=just text" },
	{ "json", "{\"text\":\"\"}", "no result" },
	{ "json", "{\"other\":1}", "no result" },
	{ "json", "null", "no result" },
	{ "json", " \n", "no result" },
	{ "json", "{\"text\":", "bad output" },
	{ "json", "Hello", "bad output" },
	/* text */
	{ "text", "Hello.\nAll done. \n\n", "answered text=Hello.\nAll done." },
	{ "text", " \n\t\n", "no result" },
	{ "text", "", "no result" },
};

static void
test_each_format(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		expect(rows[i].format, rows[i].text, strlen(rows[i].text),
		       rows[i].told);
}

static void
test_there_is_no_other_format(void **state)
{
	struct parser parser;

	(void)state;
	assert_false(parser_init(&parser, "xml", 100));
	assert_true(parser_is_text("text"));
	assert_false(parser_is_text("json"));
}

/* What has no end is not kept. */
static void
test_a_line_without_end_is_passed_over(void **state)
{
	static const char good[] = "\n{\"type\":\"result\",\"text\":\"yes\"}\n";
	char *flood = xmalloc(100000);
	struct parser parser;

	(void)state;
	memset(flood, 'x', 100000);
	parser_init(&parser, "jsonl", 4096);
	for (int i = 0; i < 100; i++) {
		parser_feed(&parser, flood, 100000);
		assert_true(parser.lines.part.capacity <= 4 * LINE_BYTES_MAX);
	}
	parser_end(&parser);
	assert_int_equal(parser_verdict(&parser), PARSER_BAD_OUTPUT);
	assert_int_equal(parser.lines.skipped, 1);
	parser_feed(&parser, good, strlen(good));
	assert_int_equal(parser_verdict(&parser), PARSER_ANSWERED);
	parser_fini(&parser);
	free(flood);
}

static void
test_an_answer_that_is_too_long(void **state)
{
	char *piece = xmalloc(600001), *line;
	struct parser parser;

	(void)state;
	memset(piece, 'a', 600000);
	piece[600000] = '\0';
	line = xprintf("{\"type\":\"text\",\"part\":{\"text\":\"%s\"}}\n", piece);
	parser_init(&parser, "jsonl", 4096);
	for (int i = 0; i < 8; i++)
		parser_feed(&parser, line, strlen(line));
	assert_int_equal(parser_verdict(&parser), PARSER_TOO_LONG);
	assert_int_equal(parser.told.text.len, TOLD_TEXT_MAX);
	parser_fini(&parser);
	free(line);
	free(piece);
}

static void
test_a_long_text_is_cut_and_says_so(void **state)
{
	struct parser parser;
	char x[8192];

	(void)state;
	memset(x, 'y', sizeof x);
	parser_init(&parser, "text", 1024);
	parser_feed(&parser, x, sizeof x);
	parser_end(&parser);
	assert_int_equal(parser_verdict(&parser), PARSER_ANSWERED);
	assert_true(parser.told.text.len <= 1024);
	assert_non_null(strstr(buf_text(&parser.told.text), "bytes left out"));
	parser_fini(&parser);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_format),
		cmocka_unit_test(test_there_is_no_other_format),
		cmocka_unit_test(test_a_line_without_end_is_passed_over),
		cmocka_unit_test(test_an_answer_that_is_too_long),
		cmocka_unit_test(test_a_long_text_is_cut_and_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
