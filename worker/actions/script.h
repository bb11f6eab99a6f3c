/*
 * A program of a step that runs a text: the shell tool and code steps. Folder, files,
 * input, channel, and what all of them say when it does not end well.
 */
#ifndef ACTIONS_SCRIPT_H
#define ACTIONS_SCRIPT_H

#include "actions/action.h"
#include "program.h"

/* Opens the folder a step names ("cwd"; NULL: the project's). -1 with err. */
int script_folder(const struct attempt *attempt, const char *cwd, struct err *err);

/* "NAME=value" texts as a growing, NULL-terminated list. */
struct pairs {
	char **list;
	size_t count;
};
void pairs_add(struct pairs *pairs, char *text); /* taken */
void pairs_fini(struct pairs *pairs);

/* Fails the attempt as the program's end says, with {exitCode, signal} as details and
 * the output (taken). */
void script_fail(struct attempt *attempt, const struct program_end *end,
		 struct json *output);
/* What came over the channel: 0 and the value (NULL when nothing came), or -1 and the
 * attempt has failed. */
int script_result(struct attempt *attempt, const struct program_end *end,
		  struct json **result);

#endif
