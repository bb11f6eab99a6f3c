/*
 * The installation that a command means: its configuration, its database, its Redis, as
 * this command line, folder and environment say.
 */
#ifndef CLI_INSTALL_H
#define CLI_INSTALL_H

#include "command.h"
#include "conf/settings.h"
#include "json/json.h"

struct install {
	struct json *dev;          /* of this folder, when that is what counts */
	struct settings *settings; /* of the configuration (the dev's, if so) */
	const char *database_url;  /* NULL: nobody says */
	const char *redis_url;     /* NULL: nobody says */
};

/* In this order: --database-url; --config; STEPMILL_CONFIG or STEPMILL_DATABASE_URL;
 * the dev of this folder; ./stepmill.yaml or DATABASE_URL. CLI_OK, or what is wrong was
 * said. The command must have DATABASE_ARGS. */
int install_find(struct install *install, const struct command *command,
		 const struct args *args);
void install_fini(struct install *install);

#endif
