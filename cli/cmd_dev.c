/* stepmill dev: everything on this machine. The work is in dev/. */
#include "commands.h"
#include "dev/dev.h"

const struct arg dev_args[] = {
	{ "project", 0, "DIR", "the project's folder (default: this one)" },
	{ "data", 0, "DIR", "where everything is kept (default: PROJECT/.stepmill)" },
	{ "port", 0, "N", "port on 127.0.0.1 (default: 3456, or the next free one)" },
	{ "workers", 0, "N", "worker processes (default: 2)" },
	{ "detach", 'd', NULL, "go on in the background once all is ready" },
	{ "stop", 0, NULL, "end the one that runs in this folder" },
	COMMAND_ARGS,
};

int
cmd_dev(const struct command *command, const struct args *args)
{
	struct dev_options options = {
		.data = args_value(args, "data"),
		.project = args_value(args, "project"),
		.detach = args_has(args, "detach"),
		.stop = args_has(args, "stop"),
		.json = args_has(args, "json"),
	};
	long port = 0, workers = 0;
	struct err err = { 0 };

	if (args->words_count > 0)
		return command_usage(command, "\"%s\": not understood", args->words[0]);
	if (args_count(args, "port", 1, 65535, &port, &err) < 0 ||
	    args_count(args, "workers", 1, 64, &workers, &err) < 0)
		return command_usage(command, "%s", err.text);
	options.port = (int)port;
	options.workers = (int)workers;
	return dev_run(&options);
}
