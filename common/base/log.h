/*
 * The log: one fact a line on standard error, as a JSON object or as text. A line has a
 * name (noun.past_participle) and at least one field. error = a person must look,
 * warn = we coped, info = state changed, debug = how. A log that cannot be written
 * never blocks: lines are dropped and counted. Secrets are never fields.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR, LOG_LEVELS };
enum log_format { LOG_JSON, LOG_TEXT };

struct log_field {
	const char *name;
	enum { LOG_FIELD_STR, LOG_FIELD_INT, LOG_FIELD_UUID } type;
	const char *str; /* NULL is shown as null */
	int64_t number;
	const void *uuid; /* const struct uuid * */
};

/* clang-format off */
#define F_STR(n, v)  { .name = (n), .type = LOG_FIELD_STR, .str = (v) }
#define F_INT(n, v)  { .name = (n), .type = LOG_FIELD_INT, .number = (int64_t)(v) }
#define F_UUID(n, v) { .name = (n), .type = LOG_FIELD_UUID, .uuid = (v) }
/* clang-format on */

#define log_at(level, event, ...)                                                      \
	log_write((level), (event), (struct log_field[]){ __VA_ARGS__ },               \
		  sizeof((struct log_field[]){ __VA_ARGS__ }) /                        \
		      sizeof(struct log_field))
#define log_debug(event, ...) log_at(LOG_DEBUG, event, __VA_ARGS__)
#define log_info(event, ...)  log_at(LOG_INFO, event, __VA_ARGS__)
#define log_warn(event, ...)  log_at(LOG_WARN, event, __VA_ARGS__)
#define log_error(event, ...) log_at(LOG_ERROR, event, __VA_ARGS__)

/* program: "worker"; stands in each line beside the pid. Makes stderr non-blocking safe
 * by writing each line with one write(2); a full pipe drops the line and counts it. */
void log_open(const char *program, enum log_level least, enum log_format format);
void log_set_level(enum log_level least);
/* Secrets that an error's text may hold nevertheless; borrowed, NULL: none. */
struct mask;
void log_set_mask(const struct mask *mask);
bool log_level_parse(const char *text, enum log_level *out);
bool log_wants(enum log_level level);
void log_write(enum log_level level, const char *event, const struct log_field *fields,
	       size_t count);
uint64_t log_dropped(void); /* lines lost since start */

#endif
