/*
 * Secrets never leave: known values are replaced in any text, also when they are
 * base64-, hex-, URL- or JSON-escaped. Of a value of several lines (a key in PEM) each
 * line of 8 bytes and more counts by itself. Not a guard against a program that wants
 * to give a secret away.
 */
#ifndef BASE_MASK_H
#define BASE_MASK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

struct mask;

struct mask *mask_new(void);
void mask_free(struct mask **mask_p);
void mask_clear(struct mask *mask); /* knows only what it was told to learn */
/* Values under 4 bytes are not masked: they would blank out ordinary text. */
void mask_add(struct mask *mask, const char *secret, size_t len);
/* The same of one that nobody could add again after mask_clear: a token that a server
 * gave. The last 64 are kept. */
void mask_learn(struct mask *mask, const char *secret, size_t len);
bool mask_is_empty(const struct mask *mask); /* also of NULL */
/* Some secret could be a number in JSON. */
bool mask_has_number(const struct mask *mask);

/* Appends text to out with every secret replaced by "***". */
void mask_text(const struct mask *mask, const char *text, size_t len, struct buf *out);
bool mask_finds(const struct mask *mask, const char *text, size_t len);
/* One that takes so many bytes of the text: what is shorter may be there by chance. */
bool mask_finds_long(const struct mask *mask, const char *text, size_t len,
		     size_t least);
/* A part of a longer text, cut out somewhere: at its ends also four bytes and more of
 * which the rest may have been a secret. */
void mask_cut(const struct mask *mask, const char *text, size_t len, struct buf *out);

/* A text that comes in pieces: what may be the beginning of a secret is held back until
 * it is known what it is. Zero is a new one. */
struct mask_stream {
	struct buf held;
};

/* Appends what is certain to out. The mask may have changed since the last piece. */
void mask_feed(const struct mask *mask, struct mask_stream *stream, const char *text,
	       size_t len, struct buf *out);
/* Nothing more comes: appends the rest. */
void mask_end(const struct mask *mask, struct mask_stream *stream, struct buf *out);
void mask_stream_fini(struct mask_stream *stream);

#endif
