/*
 * Errors as values. A function that can fail takes a struct err * last and returns 0 or
 * -1, or a pointer or NULL. The kind says what the caller can do about it.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdbool.h>
#include <stddef.h>

enum err_kind {
	ERR_NONE,
	ERR_INPUT,     /* what was given is wrong: the same again fails again */
	ERR_NOT_FOUND, /* what was named does not exist */
	ERR_CONFLICT,  /* does not fit the state it met */
	ERR_DENIED,    /* not allowed */
	ERR_LIMIT,     /* past a limit of the configuration */
	ERR_RETRY,     /* a passing fault: later it may work */
	ERR_LOST,      /* nobody knows whether it took effect */
	ERR_SYSTEM,    /* the machine refused: a person must look */
	ERR_KINDS
};

struct err {
	enum err_kind kind;
	char text[1000]; /* one line, UTF-8, cut when longer */
};

/* Sets the error and returns -1. */
int err_set(struct err *err, enum err_kind kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Like err_set with ERR_SYSTEM and ": strerror(errno)" behind the text. */
int err_errno(struct err *err, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Puts "text: " in front of what is there and returns -1. */
int err_in(struct err *err, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void err_clear(struct err *err);
const char *err_kind_name(enum err_kind kind); /* "input", "lost", ... */

/* A broken invariant: logs, ends the process. Another starts; the lease protects. */
_Noreturn void bug(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
