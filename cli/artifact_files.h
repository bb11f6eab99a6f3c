/* Artifacts between a server and files here: fetched in pieces, sent from the file. */
#ifndef CLI_ARTIFACT_FILES_H
#define CLI_ARTIFACT_FILES_H

#include "server.h"

/* Both: the exit status; what went wrong was said. */

/* to: NULL: a new file in this folder with the artifact's own name, made harmless;
 * "-": standard output. artifact: as the server lists it. */
int artifact_fetch(const struct command *command, struct server *server,
		   const struct json *artifact, const char *to);

struct artifact_file {
	const char *run, *path;
	const char *name;  /* NULL: the file's */
	const char *type;  /* "DOCUMENT", or NULL */
	const char *step;  /* or NULL: of the run */
	const char *media; /* "text/plain", or NULL */
};

/* *row: as it is stored; the caller's. */
int artifact_send(const struct command *command, struct server *server,
		  const struct artifact_file *file, struct json **row);

#endif
