/* See install.h. */
#include "install.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/xalloc.h"
#include "dev/state.h"

static bool
environment_says(void)
{
	const char *config = getenv("STEPMILL_CONFIG");
	const char *url = getenv("STEPMILL_DATABASE_URL");

	return (config != NULL && *config != '\0') || (url != NULL && *url != '\0');
}

static char *
config_of(const struct json *dev)
{
	const char *data = json_str(json_get(dev, "data"));

	return data != NULL ? xprintf("%s/stepmill.yaml", data) : NULL;
}

int
install_find(struct install *install, const struct command *command,
	     const struct args *args)
{
	const char *given = args_value(args, "database-url");
	const char *config = args_value(args, "config");
	char *report = NULL, *of_dev;

	*install = (struct install){ 0 };
	if (given == NULL && config == NULL && !environment_says())
		install->dev = state_find(".");
	of_dev = config_of(install->dev);
	install->settings = settings_load(of_dev != NULL ? of_dev : config, &report);
	free(of_dev);
	if (install->settings == NULL) {
		command_fail(command, CLI_USAGE, "the configuration is wrong");
		fputs(report, stderr);
		free(report);
		install_fini(install);
		return CLI_USAGE;
	}
	install->database_url = given != NULL ? given : install->settings->database_url;
	install->redis_url = install->settings->redis_url;
	return CLI_OK;
}

void
install_fini(struct install *install)
{
	settings_free(&install->settings);
	json_unref(&install->dev);
	*install = (struct install){ 0 };
}
