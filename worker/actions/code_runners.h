/*
 * The programs that run the text of a code step: they read context.json and the source
 * beside them, and write what it returned as JSON to the descriptor of STEPMILL_FD.
 */
#ifndef ACTIONS_CODE_RUNNERS_H
#define ACTIONS_CODE_RUNNERS_H

struct code_runner {
	const char *language;
	const char *program;     /* what runs it */
	const char *runner_name; /* of the file that is run; NULL: the source itself */
	const char *runner;      /* its text */
	const char *source_name;
};

/* NULL when there is none for this language. */
const struct code_runner *code_runner_find(const char *language);

#endif
