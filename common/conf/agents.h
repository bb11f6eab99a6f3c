/*
 * Command-line agents: what stands under `agents` in stepmill.yaml, over the presets of
 * those that are known (agents_preset.h). Says how each is called and what it may see;
 * what its output means is the worker's (worker/agent/).
 */
#ifndef CONF_AGENTS_H
#define CONF_AGENTS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/doc.h"
#include "base/mask.h"
#include "conf/option.h"
#include "conf/prices.h"
#include "json/json.h"

#define AGENTS_MAX            64
#define AGENT_WORDS_MAX       100  /* of a command, and of a group in it */
#define AGENT_WORD_BYTES_MAX  8192 /* of one of them */
#define AGENT_FILES_MAX       64   /* copied into HOME */
#define AGENT_PERMISSIONS_MAX 16
#define AGENT_PERMISSIONS     "edit" /* the preset of default_permissions */

struct agent {
	char *name;
	/* Words of the call: strings, with {prompt} {model} {session} {schema} in them,
	 * and lists of strings, which are left out when one of theirs has no value. A
	 * string that is "{permissions}" stands for those arguments. */
	struct json *command;
	struct json *resume; /* the same for taking a session up again; NULL: command */
	char *parser;        /* one of agent_parsers */
	bool tells_cost;     /* in dollars, in its output */
	bool sums_tokens, sums_cost; /* it tells those of the whole session, not of a
					call */
	bool prompt_stdin;           /* it reads the prompt from its standard input */
	struct texts environment;    /* names of variables of the worker that it sees */
	struct json *variables;      /* name -> value, secrets followed; or NULL */
	struct json *files;          /* path in HOME -> path of the file; or NULL */
	struct json *permissions;    /* name -> list of arguments; or NULL */
	char *default_permissions;   /* one of them, where the step names none */
	struct texts session_files;  /* patterns of paths in HOME; {session} in them */
	struct price *prices;
	size_t prices_count;
};

struct agents {
	struct agent *list;
	size_t count;
};

extern const char *const agent_parsers[]; /* NULL-terminated */

/* tree: NULL or a map by name. What is wrong becomes problems that name the key. */
void agents_read(struct agents *agents, const struct doc *tree,
		 struct problems *problems);
void agents_fini(struct agents *agents);
const struct agent *agent_find(const struct agents *agents,
			       const char *name); /* or NULL */
/* The program that is run: the first word of the command. */
const char *agent_program(const struct agent *agent);
/* Values of variables whose name says that they are secret (KEY, TOKEN, SECRET,
 * PASSWORD) are masked from now on. */
void agents_mask(const struct agents *agents, char *const *environment,
		 struct mask *mask);

#endif
