/*
 * `stepmill-worker --describe FILE`: asks a workflow program what it is, in a process
 * of its own, as workers run programs, and prints it as one JSON object: {workflow,
 * file, language, checksum, text?}, or {problem: {message, line, column}}. Needs no
 * server.
 */
#ifndef RECORDED_DESCRIBE_H
#define RECORDED_DESCRIBE_H

#include "conf/settings.h"

#define DESCRIBE_WAIT_S 10

/* Blocks until it is known. The exit status. */
int describe_file(const struct settings *settings, const char *path);

#endif
