/*
 * What all commands share: the form of a command, its exit statuses, and how it says
 * that something is wrong. A command is one file, cmd_<name>.c.
 */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include "args.h"

/* Exit statuses, the same for all commands; in the man page. */
enum {
	CLI_OK = 0,
	CLI_FAILED =
	    1,         /* the run failed, the server refused, a check found something */
	CLI_USAGE = 2, /* the command line is wrong */
	CLI_DENIED = 3,        /* no right to do that; a step was denied */
	CLI_TIMEOUT = 4,       /* it took too long */
	CLI_UNREACHABLE = 5,   /* nobody answers */
	CLI_CANCELLED = 6,     /* the run was cancelled */
	CLI_INTERRUPTED = 130, /* Ctrl-C */
};

struct command {
	const char *name;  /* "run"; NULL ends the table */
	const char *words; /* "NAME [KEY=VALUE]..." */
	const char *help;  /* one line */
	const char *more;  /* further lines for --help, or NULL */
	const struct arg *args;
	int (*run)(const struct command *command, const struct args *args);
};

/* Options that every command has, to end a table of options with. */
#define COMMAND_ARGS                                                                   \
	{ "json", 0, NULL, "print JSON for programs" },                                \
	    { "help", 'h', NULL, "print this" },                                       \
	{                                                                              \
		0                                                                      \
	}
#define SERVER_ARGS                                                                    \
	{ "url", 0, "URL", "the server (STEPMILL_URL; else this folder's dev)" },      \
	{                                                                              \
		"key", 0, "KEY", "API key (better: STEPMILL_API_KEY)"                  \
	}
#define DATABASE_ARGS                                                                  \
	{ "database-url", 0, "URL", "the database (else the configuration's)" },       \
	{                                                                              \
		"config", 'c', "FILE",                                                 \
		    "configuration (else this folder's dev, "                          \
		    "$STEPMILL_CONFIG, ./stepmill.yaml)"                               \
	}

/* Prints "stepmill NAME: text" and returns the status. */
int command_fail(const struct command *command, int status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Wrong use: also says how to get help. */
int command_usage(const struct command *command, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
int command_help(const struct command *command);

#endif
