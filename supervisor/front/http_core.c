/*
 * The states, one function each. A state consumes what it understands at the front of
 * the bytes, and decides by single bytes only, so that cutting the input elsewhere
 * cannot change the outcome. What fields mean stands in http_fields_core.c.
 */
#include <string.h>

#include "front/http_core.h"
#include "front/http_fields_core.h"

#define KEPT_CAPACITY 4096 /* memory that an idle connection may keep */

enum http_state {
	HTTP_START,
	HTTP_START_LF,
	HTTP_METHOD,
	HTTP_TARGET,
	HTTP_VERSION,
	HTTP_VERSION_LF,
	HTTP_FIELD_START,
	HTTP_FIELD_NAME,
	HTTP_FIELD_SPACE,
	HTTP_FIELD_VALUE,
	HTTP_FIELD_LF,
	HTTP_HEAD_LF,
	HTTP_BODY,
	HTTP_CHUNK_SIZE,
	HTTP_CHUNK_SPACE,
	HTTP_CHUNK_EXTENSION,
	HTTP_CHUNK_SIZE_LF,
	HTTP_CHUNK_DATA,
	HTTP_CHUNK_CR,
	HTTP_CHUNK_LF,
	HTTP_DONE,
	HTTP_FAILED,
	HTTP_STATES
};

typedef size_t state_fn(struct http_parser *parser, const char *data, size_t len);

enum { IN_TOKEN = 1, IN_VALUE = 2, IN_TARGET = 4, IN_HEX = 8 };

/* What may stand where, by byte. Values may hold bytes over 0x7f; nobody reads them. */
#define T (IN_TOKEN | IN_VALUE | IN_TARGET)
#define V (IN_VALUE | IN_TARGET)
/* clang-format off */
static const unsigned char classes[256] = {
	['\t'] = IN_VALUE, [' '] = IN_VALUE, ['!'] = T, ['"'] = V,
	['#'] = IN_TOKEN | IN_VALUE, ['$' ... '\''] = T, ['('] = V, [')'] = V,
	['*'] = T, ['+'] = T, [','] = V, ['-'] = T, ['.'] = T, ['/'] = V,
	['0' ... '9'] = T | IN_HEX, [':' ... '@'] = V,
	['A' ... 'F'] = T | IN_HEX, ['G' ... 'Z'] = T, ['[' ... ']'] = V,
	['^' ... '`'] = T, ['a' ... 'f'] = T | IN_HEX, ['g' ... 'z'] = T,
	['{'] = V, ['|'] = T, ['}'] = V, ['~'] = T, [0x80 ... 0xff] = IN_VALUE,
};
/* clang-format on */
#undef T
#undef V

static size_t
span(const char *data, size_t len, unsigned class)
{
	size_t n = 0;

	while (n < len && (classes[(unsigned char)data[n]] & class) != 0)
		n++;
	return n;
}

static size_t
fail(struct http_parser *parser, int status, const char *why)
{
	parser->state = HTTP_FAILED;
	parser->event = HTTP_ERROR;
	parser->status = status;
	parser->why = why;
	return 0;
}

static struct buf *
field_text(struct http_parser *parser)
{
	return parser->in_trailers ? &parser->trailer : &parser->head.text;
}

/* Exactly this byte, then the next state. */
static size_t
expect(struct http_parser *parser, char given, char wanted, int next, const char *why)
{
	if (given != wanted)
		return fail(parser, 400, why);
	parser->state = next;
	return 1;
}

/* RFC 9112, 2.2: an empty line may stand before a request; one. */
static size_t
on_start(struct http_parser *parser, const char *data, size_t len)
{
	(void)len;
	if (data[0] == '\r' && !parser->blank_seen) {
		parser->blank_seen = true;
		parser->state = HTTP_START_LF;
		return 1;
	}
	if ((classes[(unsigned char)data[0]] & IN_TOKEN) == 0)
		return fail(parser, 400, "this is not an HTTP request");
	parser->room = parser->head_max;
	parser->state = HTTP_METHOD;
	return 0;
}

static size_t
on_start_lf(struct http_parser *parser, const char *data, size_t len)
{
	(void)len;
	return expect(parser, data[0], '\n', HTTP_START, "a CR without LF");
}

static size_t
on_method(struct http_parser *parser, const char *data, size_t len)
{
	size_t n = span(data, len, IN_TOKEN);

	if (parser->head.text.len + n > HTTP_METHOD_MAX)
		return fail(parser, 501, "the method is not known");
	buf_add(&parser->head.text, data, n);
	if (n == len)
		return n;
	if (data[n] != ' ')
		return fail(parser, 400, "a byte that no method may have");
	buf_char(&parser->head.text, '\0');
	parser->target_at = (uint32_t)parser->head.text.len;
	parser->state = HTTP_TARGET;
	return n + 1;
}

static size_t
on_target(struct http_parser *parser, const char *data, size_t len)
{
	struct buf *text = &parser->head.text;
	size_t n = span(data, len, IN_TARGET);
	const char *why;

	if (text->len - parser->target_at + n > HTTP_TARGET_MAX)
		return fail(parser, 414, "the target is too long");
	buf_add(text, data, n);
	if (n == len)
		return n;
	if (data[n] != ' ')
		return fail(parser, 400, "a byte that no target may have");
	why = target_read(&parser->head.target, text->data + parser->target_at,
			  text->len - parser->target_at);
	if (why != NULL)
		return fail(parser, 400, why);
	text->len = parser->target_at; /* the target has its own copy */
	parser->state = HTTP_VERSION;
	return n + 1;
}

static bool
version_byte(char c, size_t index)
{
	if (index == 5 || index == 7)
		return c >= '0' && c <= '9';
	return index < 8 && c == "HTTP/x.x"[index];
}

static size_t
on_version(struct http_parser *parser, const char *data, size_t len)
{
	(void)len;
	if (parser->version_len == 8)
		return expect(parser, data[0], '\r', HTTP_VERSION_LF,
			      "something behind the version");
	if (!version_byte(data[0], parser->version_len))
		return fail(parser, 400, "a request line without HTTP version");
	parser->version[parser->version_len++] = data[0];
	return 1;
}

static size_t
on_version_lf(struct http_parser *parser, const char *data, size_t len)
{
	(void)len;
	parser->head.minor = parser->version[7] - '0';
	parser->head.keep_alive = parser->head.minor == 1;
	if (data[0] == '\n' && (parser->version[5] != '1' || parser->head.minor > 1))
		return fail(parser, 505, "the version must be HTTP/1.1 or HTTP/1.0");
	return expect(parser, data[0], '\n', HTTP_FIELD_START, "a CR without LF");
}

static size_t
on_field_start(struct http_parser *parser, const char *data, size_t len)
{
	(void)len;
	if (data[0] == '\r') {
		parser->state = HTTP_HEAD_LF;
		return 1;
	}
	if (data[0] == ' ' || data[0] == '\t')
		return fail(parser, 400, "a folded header line");
	if ((classes[(unsigned char)data[0]] & IN_TOKEN) == 0)
		return fail(parser, 400, "a byte that no header name may begin with");
	if (parser->fields_seen++ == HTTP_FIELDS_MAX)
		return fail(parser, 431, "too many header lines");
	if (parser->in_trailers)
		buf_clear(&parser->trailer);
	parser->name_at = (uint32_t)field_text(parser)->len;
	parser->state = HTTP_FIELD_NAME;
	return 0;
}

static size_t
on_field_name(struct http_parser *parser, const char *data, size_t len)
{
	size_t n = span(data, len, IN_TOKEN);

	buf_add(field_text(parser), data, n);
	if (n == len)
		return n;
	if (data[n] != ':')
		return fail(parser, 400, "a byte that no header name may have");
	buf_char(field_text(parser), '\0');
	parser->state = HTTP_FIELD_SPACE;
	return n + 1;
}

static size_t
on_field_space(struct http_parser *parser, const char *data, size_t len)
{
	size_t n = 0;

	while (n < len && (data[n] == ' ' || data[n] == '\t'))
		n++;
	if (n == len)
		return n;
	parser->value_at = (uint32_t)field_text(parser)->len;
	parser->state = HTTP_FIELD_VALUE;
	return n;
}

static size_t
on_field_value(struct http_parser *parser, const char *data, size_t len)
{
	size_t n = span(data, len, IN_VALUE);

	buf_add(field_text(parser), data, n);
	if (n == len)
		return n;
	if (data[n] != '\r')
		return fail(parser, 400, "a control byte in a header");
	parser->state = HTTP_FIELD_LF;
	return n + 1;
}

static void
trim_end(struct buf *text, size_t start)
{
	while (text->len > start &&
	       (text->data[text->len - 1] == ' ' || text->data[text->len - 1] == '\t'))
		text->len--;
}

static size_t
on_field_lf(struct http_parser *parser, const char *data, size_t len)
{
	struct buf *text = field_text(parser);
	struct http_head *head = &parser->head;
	const char *why;
	int status = 400;

	(void)len;
	if (data[0] != '\n')
		return fail(parser, 400, "a CR without LF");
	trim_end(text, parser->value_at);
	buf_char(text, '\0');
	if (!parser->in_trailers) {
		head->fields[head->fields_count].name = parser->name_at;
		head->fields[head->fields_count++].value = parser->value_at;
	}
	why = http_fields_take(parser, text->data + parser->name_at,
			       text->data + parser->value_at, &status);
	if (why != NULL)
		return fail(parser, status, why);
	parser->state = HTTP_FIELD_START;
	return 1;
}

static size_t
on_head_lf(struct http_parser *parser, const char *data, size_t len)
{
	const char *why;
	int status = 400;

	(void)len;
	if (data[0] != '\n')
		return fail(parser, 400, "a CR without LF");
	if (parser->in_trailers) {
		parser->state = HTTP_DONE;
		return 1;
	}
	why = http_fields_end(parser, &status);
	if (why != NULL)
		return fail(parser, status, why);
	parser->left = parser->head.content_length;
	if (parser->head.chunked)
		parser->state = HTTP_CHUNK_SIZE;
	else
		parser->state = parser->left > 0 ? HTTP_BODY : HTTP_DONE;
	parser->event = HTTP_HEAD;
	return 1;
}

static size_t
piece(struct http_parser *parser, const char *data, size_t len, int next)
{
	size_t n = len < parser->left ? len : (size_t)parser->left;

	parser->piece = data;
	parser->piece_len = n;
	parser->left -= n;
	parser->event = HTTP_PIECE;
	if (parser->left == 0)
		parser->state = next;
	return n;
}

static size_t
on_body(struct http_parser *parser, const char *data, size_t len)
{
	if (parser->head.content_length > parser->body_max)
		return fail(parser, 413, "the body is too long");
	return piece(parser, data, len, HTTP_DONE);
}

/* The size is complete: is there room for that much? */
static size_t
end_size(struct http_parser *parser, int next)
{
	if (parser->size_digits == 0)
		return fail(parser, 400, "a chunk without size");
	if (parser->left > parser->body_max - parser->body_len)
		return fail(parser, 413, "the body is too long");
	parser->body_len += parser->left;
	parser->state = next;
	return 1;
}

/* Sixteen digits fill the 64 bits: no overflow. */
static size_t
on_chunk_size(struct http_parser *parser, const char *data, size_t len)
{
	unsigned char c = (unsigned char)data[0];
	int digit;

	(void)len;
	if (c == '\r')
		return end_size(parser, HTTP_CHUNK_SIZE_LF);
	if (c == ';')
		return end_size(parser, HTTP_CHUNK_EXTENSION);
	if (c == ' ' || c == '\t')
		return end_size(parser, HTTP_CHUNK_SPACE);
	if ((classes[c] & IN_HEX) == 0 || parser->size_digits == 16)
		return fail(parser, 400, "a chunk size that is no hexadecimal number");
	digit = c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
	parser->left = parser->left << 4 | (unsigned)digit;
	parser->size_digits++;
	return 1;
}

static size_t
count_extension(struct http_parser *parser, size_t n)
{
	if (n > HTTP_EXTENSIONS_MAX - parser->extensions_len) {
		fail(parser, 400, "too much in chunk extensions");
		return 0;
	}
	parser->extensions_len += n;
	return n;
}

/* White space behind the size is only good before an extension. */
static size_t
on_chunk_space(struct http_parser *parser, const char *data, size_t len)
{
	(void)len;
	if (data[0] == ' ' || data[0] == '\t')
		return count_extension(parser, 1);
	return expect(parser, data[0], ';', HTTP_CHUNK_EXTENSION,
		      "something behind the chunk size");
}

/* What extensions say is ignored. */
static size_t
on_chunk_extension(struct http_parser *parser, const char *data, size_t len)
{
	(void)len;
	if ((classes[(unsigned char)data[0]] & IN_VALUE) != 0)
		return count_extension(parser, 1);
	return expect(parser, data[0], '\r', HTTP_CHUNK_SIZE_LF,
		      "a control byte in a chunk extension");
}

static void
begin_trailers(struct http_parser *parser)
{
	parser->in_trailers = true;
	parser->room = HTTP_TRAILERS_MAX;
	parser->fields_seen = 0;
	parser->state = HTTP_FIELD_START;
}

static size_t
on_chunk_size_lf(struct http_parser *parser, const char *data, size_t len)
{
	(void)len;
	if (data[0] != '\n')
		return fail(parser, 400, "a CR without LF");
	parser->size_digits = 0;
	parser->state = HTTP_CHUNK_DATA;
	if (parser->left == 0)
		begin_trailers(parser);
	return 1;
}

static size_t
on_chunk_data(struct http_parser *parser, const char *data, size_t len)
{
	return piece(parser, data, len, HTTP_CHUNK_CR);
}

static size_t
on_chunk_cr(struct http_parser *parser, const char *data, size_t len)
{
	(void)len;
	return expect(parser, data[0], '\r', HTTP_CHUNK_LF,
		      "a chunk longer than its size");
}

static size_t
on_chunk_lf(struct http_parser *parser, const char *data, size_t len)
{
	(void)len;
	return expect(parser, data[0], '\n', HTTP_CHUNK_SIZE, "a CR without LF");
}

static size_t
on_done(struct http_parser *parser, const char *data, size_t len)
{
	(void)data;
	(void)len;
	parser->event = HTTP_END;
	return 0;
}

static size_t
on_failed(struct http_parser *parser, const char *data, size_t len)
{
	(void)data;
	(void)len;
	parser->event = HTTP_ERROR;
	return 0;
}

static state_fn *const states[HTTP_STATES] = {
	[HTTP_START] = on_start,
	[HTTP_START_LF] = on_start_lf,
	[HTTP_METHOD] = on_method,
	[HTTP_TARGET] = on_target,
	[HTTP_VERSION] = on_version,
	[HTTP_VERSION_LF] = on_version_lf,
	[HTTP_FIELD_START] = on_field_start,
	[HTTP_FIELD_NAME] = on_field_name,
	[HTTP_FIELD_SPACE] = on_field_space,
	[HTTP_FIELD_VALUE] = on_field_value,
	[HTTP_FIELD_LF] = on_field_lf,
	[HTTP_HEAD_LF] = on_head_lf,
	[HTTP_BODY] = on_body,
	[HTTP_CHUNK_SIZE] = on_chunk_size,
	[HTTP_CHUNK_SPACE] = on_chunk_space,
	[HTTP_CHUNK_EXTENSION] = on_chunk_extension,
	[HTTP_CHUNK_SIZE_LF] = on_chunk_size_lf,
	[HTTP_CHUNK_DATA] = on_chunk_data,
	[HTTP_CHUNK_CR] = on_chunk_cr,
	[HTTP_CHUNK_LF] = on_chunk_lf,
	[HTTP_DONE] = on_done,
	[HTTP_FAILED] = on_failed,
};

/* A head and trailers may have so many bytes and not one more. */
static size_t
step_head(struct http_parser *parser, const char *data, size_t len)
{
	size_t used;

	if (parser->room == 0 && parser->state <= HTTP_VERSION_LF)
		return fail(parser, 414, "the request line is too long");
	if (parser->room == 0)
		return fail(parser, 431, "the header is too long");
	if (len > parser->room)
		len = parser->room;
	used = states[parser->state](parser, data, len);
	parser->room -= used;
	return used;
}

static size_t
step(struct http_parser *parser, const char *data, size_t len)
{
	if (parser->state >= HTTP_METHOD && parser->state <= HTTP_HEAD_LF)
		return step_head(parser, data, len);
	return states[parser->state](parser, data, len);
}

enum http_event
http_parse(struct http_parser *parser, const char *data, size_t len, size_t *used)
{
	size_t done = 0;

	parser->event = HTTP_MORE;
	while (parser->event == HTTP_MORE && (done < len || parser->state >= HTTP_DONE))
		done += step(parser, data + done, len - done);
	*used = done;
	return parser->event;
}

void
http_parser_init(struct http_parser *parser, size_t head_max)
{
	*parser = (struct http_parser){ .head_max = head_max };
}

void
http_parser_fini(struct http_parser *parser)
{
	buf_fini(&parser->head.text);
	buf_fini(&parser->trailer);
	target_fini(&parser->head.target);
}

static void
reuse(struct buf *buf)
{
	buf_clear(buf);
	if (buf->capacity > KEPT_CAPACITY)
		buf_fini(buf);
}

void
http_parser_next(struct http_parser *parser)
{
	struct http_parser next = { .head_max = parser->head_max };

	reuse(&parser->head.text);
	reuse(&parser->head.target.text);
	reuse(&parser->trailer);
	next.head.text = parser->head.text;
	next.head.target.text = parser->head.target.text;
	next.trailer = parser->trailer;
	*parser = next;
}

bool
http_parser_started(const struct http_parser *parser)
{
	return parser->state > HTTP_START_LF;
}

bool
http_parser_is_head(const struct http_parser *parser)
{
	return parser->target_at > 0 && strcmp(http_method(&parser->head), "HEAD") == 0;
}

bool
http_accept_body(struct http_parser *parser, uint64_t body_max)
{
	parser->body_max = body_max;
	if (parser->head.content_length <= body_max)
		return true;
	fail(parser, 413, "the body is too long");
	return false;
}
