/*
 * HTTP requests from hostile bytes. However the input is cut, the parser says the same;
 * what it accepts is framed in one way only, and names nothing outside a path. The
 * first byte chooses limits and cuts, the rest is the connection.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "base/xalloc.h"
#include "front/http_core.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

struct hearing {
	struct http_parser parser;
	struct buf heard;
	uint64_t body_max, body_len;
	bool failed;
};

static void
require(bool condition)
{
	if (!condition)
		abort();
}

static void
check_target(const struct target *target)
{
	require(target->segments_count <= TARGET_SEGMENTS_MAX);
	require(target->queries_count <= TARGET_QUERIES_MAX);
	for (size_t i = 0; i < target->segments_count; i++) {
		const char *segment = target_segment(target, i);

		require(strcmp(segment, "..") != 0 && strcmp(segment, ".") != 0);
		require(utf8_valid(segment, strlen(segment)));
		for (; *segment != '\0'; segment++)
			require((unsigned char)*segment >= ' ' && *segment != '/' &&
				*segment != '\\' && *segment != 0x7f);
	}
	if (target->form == TARGET_ABSOLUTE)
		require(target_authority_valid(target_authority(target),
					       strlen(target_authority(target))));
	else
		require(target_path(target)[0] == '/' ||
			target->form == TARGET_ASTERISK);
}

static void
check_head(const struct http_head *head)
{
	const char *host = http_host(head);

	require(!(head->chunked && head->counted));
	require(!(head->chunked && head->minor == 0));
	require(head->fields_count <= HTTP_FIELDS_MAX);
	require(strlen(http_method(head)) <= HTTP_METHOD_MAX);
	require(head->minor == 0 || *host != '\0');
	require(*host == '\0' || target_authority_valid(host, strlen(host)));
	require(!http_has_body(head) || strcmp(http_method(head), "HEAD") != 0);
	check_target(&head->target);
}

static void
hear_head(struct hearing *hearing)
{
	const struct http_head *head = &hearing->parser.head;

	check_head(head);
	buf_printf(&hearing->heard, "H %s %s %d%d%d %llu\n", http_method(head),
		   target_path(&head->target), head->keep_alive, head->expects_continue,
		   head->chunked, (unsigned long long)head->content_length);
	for (size_t i = 0; i < head->fields_count; i++)
		buf_printf(&hearing->heard, "%s=%s\n",
			   head->text.data + head->fields[i].name,
			   head->text.data + head->fields[i].value);
	hearing->body_len = 0;
	if (!http_accept_body(&hearing->parser, hearing->body_max)) {
		require(head->content_length > hearing->body_max);
		hearing->failed = true;
	}
}

static void
hear_end(struct hearing *hearing)
{
	const struct http_head *head = &hearing->parser.head;

	require(hearing->body_len <= hearing->body_max);
	require(!head->counted || hearing->body_len == head->content_length);
	buf_str(&hearing->heard, "\nE\n");
	http_parser_next(&hearing->parser);
	require(!http_parser_started(&hearing->parser));
}

static void
hear(struct hearing *hearing, enum http_event event)
{
	struct http_parser *parser = &hearing->parser;

	if (event == HTTP_HEAD)
		hear_head(hearing);
	else if (event == HTTP_PIECE)
		buf_add(&hearing->heard, parser->piece, parser->piece_len);
	else if (event == HTTP_END)
		hear_end(hearing);
	else if (event == HTTP_ERROR)
		hearing->failed = true;
	if (event == HTTP_PIECE)
		hearing->body_len += parser->piece_len;
}

static void
feed(struct hearing *hearing, const char *data, size_t len)
{
	enum http_event event = HTTP_END;

	while (event != HTTP_MORE && !hearing->failed) {
		size_t used;

		event = http_parse(&hearing->parser, data, len, &used);
		require(used <= len);
		require(used > 0 || event != HTTP_PIECE);
		require(event != HTTP_MORE || used == len);
		data += used;
		len -= used;
		hear(hearing, event);
	}
}

/* In pieces whose sizes a seed chooses; seed 0: all at once. */
static char *
run(const uint8_t *data, size_t len, uint32_t seed, uint64_t body_max)
{
	struct hearing hearing = { .body_max = body_max };
	char *text;

	http_parser_init(&hearing.parser, 4096);
	while (len > 0 && !hearing.failed) {
		size_t n = len;
		char *piece;

		if (seed != 0)
			seed = seed * 1664525 + 1013904223;
		if (seed != 0 && (seed >> 20) % 64 + 1 < n)
			n = (seed >> 20) % 64 + 1;
		piece = malloc(n);
		memcpy(piece, data, n);
		feed(&hearing, piece, n);
		free(piece);
		data += n;
		len -= n;
	}
	if (hearing.failed)
		buf_printf(&hearing.heard, "\n%d", hearing.parser.status);
	else if (http_parser_started(&hearing.parser))
		buf_str(&hearing.heard, "\nmore");
	http_parser_fini(&hearing.parser);
	text = xstrdup(buf_text(&hearing.heard));
	buf_fini(&hearing.heard);
	return text;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	uint64_t body_max;
	char *whole, *cut;

	if (len == 0)
		return 0;
	body_max = (data[0] & 1) != 0 ? 1u << 20 : 16;
	whole = run(data + 1, len - 1, 0, body_max);
	cut = run(data + 1, len - 1, data[0] | 1u, body_max);
	require(strcmp(whole, cut) == 0);
	free(cut);
	cut = run(data + 1, len - 1, 0x9e3779b9u + data[0], body_max);
	require(strcmp(whole, cut) == 0);
	free(cut);
	free(whole);
	return 0;
}
