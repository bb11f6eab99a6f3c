/*
 * What is registered of a workflow program: what it says of itself, and the file, as
 * one tree that reads like a workflow.
 */
#ifndef ENGINE_PROGRAM_MANIFEST_H
#define ENGINE_PROGRAM_MANIFEST_H

#include "base/err.h"
#include "engine/workflow.h"
#include "json/json.h"

#define PROGRAM_FILE_MAX       (128 * 1024) /* of a text */
#define PROGRAM_EXECUTABLE_MAX (256 * 1024 * 1024)

struct program_file {
	const char *path; /* absolute */
	enum program_language language;
	const char *checksum;
	const char *text; /* NULL of an executable */
	size_t text_len;
};

/* said: `workflow` of its hello. The caller's; NULL with err (ERR_INPUT: it says
 * something that may not be said). */
struct json *program_manifest(const struct json *said, const struct program_file *file,
			      struct err *err);

/* What `stepmill-worker --describe FILE` prints, as a manifest; the caller's. NULL with
 * at least one problem, which has its place in the program's file. */
struct json *program_described(const char *text, size_t len, struct problems *problems);

#endif
