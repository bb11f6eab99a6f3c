/* stepmill: finds the command, reads its options, runs it. */
#include <stdio.h>
#include <string.h>

#include "base/doc.h"
#include "base/log.h"
#include "commands.h"
#include "eval.h"

#define COMMANDS_MAX 64

static void
help(FILE *out)
{
	fputs("stepmill: a durable workflow engine\n\nusage: stepmill COMMAND ...\n\n",
	      out);
	for (const struct command *it = commands; it->name != NULL; it++)
		fprintf(out, "  %-11s %s\n", it->name, it->help);
	fputs("\nEvery command has --help and --json. Exit statuses: 0 done, 1 failed, "
	      "2 wrong\n"
	      "use, 3 denied, 4 too late, 5 no server, 6 cancelled.\n",
	      out);
}

static int
no_such_command(const char *name)
{
	const char *names[COMMANDS_MAX + 1] = { 0 };
	const char *nearest;

	for (size_t i = 0; i < COMMANDS_MAX && commands[i].name != NULL; i++)
		names[i] = commands[i].name;
	nearest = nearest_name(name, names);
	fprintf(stderr, "stepmill: there is no command \"%s\"", name);
	if (nearest != NULL)
		fprintf(stderr, "; did you mean %s?", nearest);
	fputs("\n(stepmill --help lists them)\n", stderr);
	return CLI_USAGE;
}

static int
eval_help(void)
{
	char *argv[] = { "eval", "--help", NULL };

	return eval_main(2, argv);
}

static int
help_about(const char *name)
{
	const struct command *command = name != NULL ? command_find(name) : NULL;

	if (name != NULL && command == NULL)
		return no_such_command(name);
	if (command != NULL)
		return command->run != NULL ? command_help(command) : eval_help();
	help(stdout);
	return CLI_OK;
}

static int
run_command(const struct command *command, int argc, char **argv)
{
	struct args args;
	struct err err = { 0 };

	if (command->run == NULL)
		return eval_main(argc, argv);
	if (args_read(&args, command->args, argc, argv, &err) < 0)
		return command_usage(command, "%s", err.text);
	if (args_has(&args, "help"))
		return command_help(command);
	return command->run(command, &args);
}

static int
act(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : NULL;
	const struct command *command;

	if (name == NULL) {
		help(stderr);
		return CLI_USAGE;
	}
	if (strcmp(name, "--version") == 0 || strcmp(name, "version") == 0) {
		puts("stepmill " STEPMILL_VERSION);
		return CLI_OK;
	}
	if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 ||
	    strcmp(name, "help") == 0)
		return help_about(argc > 2 ? argv[2] : NULL);
	command = command_find(name);
	if (command == NULL)
		return no_such_command(name);
	return run_command(command, argc - 1, argv + 1);
}

int
main(int argc, char **argv)
{
	int status;

	log_open("stepmill", LOG_ERROR, LOG_TEXT); /* commands say what is wrong */
	status = act(argc, argv);

	/* a full disk behind > must not look like success */
	if (fflush(stdout) != 0 || ferror(stdout)) {
		perror("stepmill: standard output");
		return status == CLI_OK ? CLI_FAILED : status;
	}
	return status;
}
