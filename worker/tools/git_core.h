/*
 * Pure: what git prints for programs -> JSON, and values of a step that are about to
 * become arguments of git.
 */
#ifndef TOOLS_GIT_CORE_H
#define TOOLS_GIT_CORE_H

#include <stddef.h>

#include "base/err.h"
#include "json/json.h"

/* The --format of git log that git_read_log reads. */
#define GIT_LOG_FORMAT "--format=tformat:%H%x00%an%x00%ae%x00%aI%x00%s%x00%b%x00"

/* [{sha, author, email, date, subject, body}]. All of them: NULL with err (ERR_INPUT)
 * when it is not what git prints. */
struct json *git_read_log(const char *text, size_t len, struct err *err);
/* git status --porcelain=v2 --branch -z: {branch, clean, files: [{path, status}],
 * staged, modified, untracked: [path]}. */
struct json *git_read_status(const char *text, size_t len, struct err *err);
/* git diff --numstat --no-renames -z: {files: [{path, added, removed}], added,
 * removed}; null counts of a binary file. */
struct json *git_read_numstat(const char *text, size_t len, struct err *err);
/* Names that end with NUL: [path]. */
struct json *git_read_names(const char *text, size_t len);

/* Owner and repository in a remote's URL, as forges have them; both the caller's. */
int git_read_remote(const char *url, char **owner, char **repository, struct err *err);
/* A branch, range, remote or path: not empty, no option, no control character. */
int git_check_value(const char *what, const char *value, struct err *err);

#endif
