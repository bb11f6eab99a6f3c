/*
 * The log of a step, JSON lines {time, level, step, message}, beside the run's own log
 * (execution.log gets the same lines): .agent/workflows/executions/ID/logs/. A log that
 * cannot be written is counted and never stops a step. Secrets are masked here.
 */
#ifndef WORKER_STEP_LOG_H
#define WORKER_STEP_LOG_H

#include <stddef.h>

#include "base/mask.h"
#include "json/json.h"

enum step_level {
	STEP_TRACE,
	STEP_DEBUG,
	STEP_INFO,
	STEP_WARN,
	STEP_ERROR,
	STEP_FATAL,
	STEP_LEVELS
};

struct step_log;

/* Opens nothing until the first line: a noop makes no files. number below 1: a program,
 * whose lines stand in the run's log only. Names other than letters,
 * digits, '.', '_', '-' become '-', at most 80. */
struct step_log *step_log_new(const char *project_path, const char *run_folder,
			      int number, const char *name, const struct mask *mask);
void step_log_free(struct step_log **log_p); /* flushes */
void step_log_write(struct step_log *log, enum step_level level, const char *text,
		    size_t len); /* one message; may hold newlines */
void step_log_printf(struct step_log *log, enum step_level level, const char *format,
		     ...) __attribute__((format(printf, 3, 4)));
/* Lines of a program as they come, in any pieces: whole lines are written, the rest is
 * kept until its newline, 64 KiB or the end. stream: 1 or 2. */
void step_log_stream(struct step_log *log, int stream, const char *data, size_t len);
/* The last messages of a log that was written before, an array of texts (the caller's);
 * empty when there is none that can be read here. */
struct json *step_log_tail(const char *project_path, const char *run_folder, int number,
			   const char *name);

#endif
