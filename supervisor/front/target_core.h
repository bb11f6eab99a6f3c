/*
 * A request target taken apart: authority, path segments, query. Each segment is
 * decoded after splitting, so that an escaped slash can never become a separator; what
 * could be read in two ways is refused. Pure.
 */
#ifndef FRONT_TARGET_CORE_H
#define FRONT_TARGET_CORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define TARGET_SEGMENTS_MAX 32
#define TARGET_QUERIES_MAX  64

enum target_form {
	TARGET_ORIGIN,   /* /path?query */
	TARGET_ABSOLUTE, /* http://host/path?query */
	TARGET_ASTERISK, /* "*", of OPTIONS */
	TARGET_FORMS
};

/* Everything is NUL-terminated text in one buffer, kept as offsets into it. */
struct target {
	enum target_form form;
	struct buf text;
	uint32_t path;                          /* as it was sent, without the query */
	uint32_t authority;                     /* of the absolute form */
	uint32_t segments[TARGET_SEGMENTS_MAX]; /* decoded, valid UTF-8, no controls */
	size_t segments_count;                  /* "/" has none, "/a/" has "a" and "" */
	struct {
		uint32_t name, value; /* decoded */
	} queries[TARGET_QUERIES_MAX];
	size_t queries_count;
};

/* Takes the text apart into *target, whose memory is used again. NULL, or what is wrong
 * with it (the answer is 400). */
const char *target_read(struct target *target, const char *text, size_t len);
void target_fini(struct target *target);

const char *target_path(const struct target *target);
const char *target_authority(const struct target *target); /* NULL unless absolute */
const char *target_segment(const struct target *target, size_t index);
const char *target_query(const struct target *target, const char *name); /* the first */
/* All of the query as it was sent, decoded, a NUL behind each name and value. */
const char *target_query_words(const struct target *target, size_t *len);

/* host[:port] as in Host: a name, an IPv4 address or [IPv6]; nothing else. */
bool target_authority_valid(const char *text, size_t len);

#endif
