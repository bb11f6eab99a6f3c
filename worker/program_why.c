/*
 * How a program ended. The last words of the program itself are part of the reason: who
 * reads "exit status 1" looks for them next.
 */
#include "program_why.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#define LAST_WORDS_MAX 160

static const struct {
	const char *program, *package;
} packages[] = {
	{ "node", "nodejs" },
	{ "python3", "python3" },
	{ "git", "git" },
	{ "/bin/sh", "dash" },
};

const char *
program_package(const char *program)
{
	for (size_t i = 0; i < sizeof packages / sizeof packages[0]; i++)
		if (strcmp(packages[i].program, program) == 0)
			return packages[i].package;
	return NULL;
}

static void
missing(const char *name, struct program_end *end)
{
	const char *package = program_package(name);

	end->code = "program_missing";
	end->final = true;
	if (package != NULL)
		snprintf(end->why, sizeof end->why,
			 "the program \"%s\" is not installed on this host; on Debian: "
			 "apt-get install %s",
			 name, package);
	else
		snprintf(end->why, sizeof end->why,
			 "the program \"%s\" is not installed on this host, or not in "
			 "PATH",
			 name);
}

static void
not_started(const char *name, const struct init_message *message,
	    struct program_end *end)
{
	static const char *const at[] = {
		[INIT_AT_INIT] = "before it could be prepared",
		[INIT_AT_LIMITS] = "when its limits were set",
		[INIT_AT_USER] = "when it was to become worker.user",
		[INIT_AT_FOLDER] = "when it was to enter its folder",
		[INIT_AT_PROGRAM] = "when it was executed",
	};

	if (message->stage == INIT_AT_PROGRAM &&
	    (message->value == ENOENT || message->value == ENOTDIR)) {
		missing(name, end);
		return;
	}
	if (message->value == E2BIG) {
		end->code = "argument_too_long";
		end->final = true;
		snprintf(
		    end->why, sizeof end->why,
		    "arguments and environment of \"%s\" are longer than the system "
		    "takes; hand large values over by standard input or a file",
		    name);
		return;
	}
	end->code = "program_not_started";
	snprintf(end->why, sizeof end->why, "\"%s\" was not started: %s %s", name,
		 strerror(message->value),
		 message->stage <= INIT_AT_PROGRAM ? at[message->stage] : "");
}

/* "/tmp/stepmill-x/1/command: 2: foo: not found" without the folder. */
static const char *
without_folder(const char *words, const char *folder)
{
	size_t len = strlen(folder);

	return strncmp(words, folder, len) == 0 && words[len] == '/' ? words + len + 1
								     : words;
}

static void
exited(const char *name, const char *folder, int status, struct program_end *end)
{
	struct buf words = { 0 };

	end->exit_status = status;
	if (status == 0)
		return;
	output_last_line(end->errors, LAST_WORDS_MAX, &words);
	end->code = "exit_status";
	snprintf(end->why, sizeof end->why, "\"%s\" ended with exit status %d%s%s",
		 name, status, words.len > 0 ? ": " : "",
		 without_folder(buf_text(&words), folder));
	buf_fini(&words);
}

static void
killed(const char *name, int number, struct program_end *end)
{
	const char *word = sigabbrev_np(number);

	end->signal = number;
	end->exit_status = 128 + number;
	end->code = "signal";
	snprintf(end->why, sizeof end->why, "\"%s\" was ended by signal %d (SIG%s)",
		 name, number, word != NULL ? word : "?");
}

void
program_why(const char *name, const char *folder, const struct init_message *message,
	    struct program_end *end)
{
	const struct init_message nothing = { INIT_ENDED, 0, SIGKILL };

	if (message == NULL)
		message = &nothing;
	end->started = message->news == INIT_ENDED;
	if (!end->started)
		not_started(name, message, end);
	else if (WIFSIGNALED(message->value))
		killed(name, WTERMSIG(message->value), end);
	else
		exited(name, folder, WEXITSTATUS(message->value), end);
	if (end->stopped) {
		end->code = "stopped";
		snprintf(end->why, sizeof end->why, "\"%s\" was told to stop", name);
	}
}
