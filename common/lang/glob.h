/*
 * Patterns of file paths: * (within a name), ? (one character), [a-z] and [!a-z], **
 * as a whole name (any number of folders, also none), and \ before what is meant as it
 * is. A pattern without "/" is matched with the last name of a path. What begins with
 * "." is matched only by a name of the pattern that does, too. Matching takes time in
 * proportion to both lengths, whatever the pattern.
 */
#ifndef LANG_GLOB_H
#define LANG_GLOB_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

#define GLOB_MAX 400 /* bytes of a pattern */

/* ERR_INPUT says what is wrong at which character, from 1. */
int glob_check(const char *pattern, size_t len, struct err *err);
/* pattern: one that was checked; path: with "/" between names, none at its ends. */
bool glob_match(const char *pattern, const char *path);

#endif
