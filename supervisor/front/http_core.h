/*
 * HTTP/1.1, bytes to requests: head, body (counted or chunked), trailers. Pure, and
 * incremental: the same bytes give the same events however they are cut. Whatever two
 * programs could frame in two ways is an error, after which nothing more is read.
 *
 *	start -> method -> target -> version -> fields -> (body | chunks -> trailers) ->
 *done
 */
#ifndef FRONT_HTTP_CORE_H
#define FRONT_HTTP_CORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "front/target_core.h"

#define HTTP_METHOD_MAX     32
#define HTTP_TARGET_MAX     8192  /* 414 */
#define HTTP_FIELDS_MAX     100   /* 431 */
#define HTTP_TRAILERS_MAX   8192  /* bytes; 431 */
#define HTTP_EXTENSIONS_MAX 16384 /* bytes of chunk extensions in one body; 400 */

enum http_event {
	HTTP_MORE,  /* all was used: more bytes are needed */
	HTTP_HEAD,  /* the head is complete; call http_accept_body when it has one */
	HTTP_PIECE, /* piece and piece_len point into the bytes given */
	HTTP_END,   /* the request is complete; http_parser_next for another */
	HTTP_ERROR, /* status and why; it stays so */
	HTTP_EVENTS
};

struct http_head {
	struct buf text; /* method and fields, NUL-terminated */
	struct target target;
	struct {
		uint32_t name, value; /* offsets into text */
	} fields[HTTP_FIELDS_MAX];
	size_t fields_count;
	uint32_t host; /* offset of Host's value; 0: there is none */
	int minor;     /* HTTP/1.0 or 1.1 */
	bool keep_alive;
	bool expects_continue;
	bool chunked;
	bool counted; /* it has a Content-Length */
	uint64_t content_length;
};

struct http_parser {
	struct http_head head;
	int state; /* enum http_state, in http_core.c */
	enum http_event event;
	int status;      /* of HTTP_ERROR */
	const char *why; /* of HTTP_ERROR */
	const char *piece;
	size_t piece_len;
	size_t room; /* bytes that the head (or the trailers) may still have */
	size_t head_max;
	uint32_t target_at, name_at, value_at; /* in the text being read */
	struct buf trailer;                    /* the trailer line being read */
	size_t fields_seen;
	char version[8];
	size_t version_len;
	bool blank_seen; /* an empty line stood before the request */
	bool in_trailers;
	unsigned seen; /* fields that may come once only, by bit */
	uint64_t left; /* of the body, or of the chunk */
	uint64_t body_max, body_len;
	size_t size_digits;
	size_t extensions_len;
};

void http_parser_init(struct http_parser *parser, size_t head_max);
void http_parser_fini(struct http_parser *parser);
void http_parser_next(struct http_parser *parser); /* forgets the request */
/* Whether the first byte of a request has come. */
bool http_parser_started(const struct http_parser *parser);
/* Whether what is being read asks by HEAD; known as soon as the method is. */
bool http_parser_is_head(const struct http_parser *parser);

/* Reads on. *used is how much of data was consumed; the rest is to be given again. */
enum http_event http_parse(struct http_parser *parser, const char *data, size_t len,
			   size_t *used);
/* After HTTP_HEAD: how long the body may be (0 before this call). false: it says that
 * it is longer; the parser is in error 413. */
bool http_accept_body(struct http_parser *parser, uint64_t body_max);
bool http_has_body(const struct http_head *head);

const char *http_method(const struct http_head *head);
/* The first field of this name, or NULL; the name in any case. */
const char *http_field(const struct http_head *head, const char *name);
/* Whether a field of this name lists the token, in any case: Connection: a, TOKEN. */
bool http_lists(const struct http_head *head, const char *name, const char *token);
/* What the request is addressed to: of an absolute target, else Host; "" without. */
const char *http_host(const struct http_head *head);

#endif
