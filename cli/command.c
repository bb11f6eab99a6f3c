/* What commands say about themselves and about what is wrong. */
#include "command.h"

#include <stdarg.h>
#include <stdio.h>

#include "text.h"

/* What came from outside may stand in it. */
static void
say(const struct command *command, const char *format, va_list args)
{
	struct buf text = { 0 }, clean = { 0 };

	buf_vprintf(&text, format, args);
	text_clean(buf_text(&text), &clean);
	fprintf(stderr, "stepmill %s: %s\n", command->name, buf_text(&clean));
	buf_fini(&text);
	buf_fini(&clean);
}

int
command_fail(const struct command *command, int status, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(command, format, args);
	va_end(args);
	return status;
}

int
command_usage(const struct command *command, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(command, format, args);
	va_end(args);
	fprintf(stderr, "usage: stepmill %s%s%s\n(stepmill %s --help tells more)\n",
		command->name, command->words[0] != '\0' ? " " : "", command->words,
		command->name);
	return CLI_USAGE;
}

int
command_help(const struct command *command)
{
	printf("usage: stepmill %s%s%s\n\n%s\n", command->name,
	       command->words[0] != '\0' ? " " : "", command->words, command->help);
	if (command->more != NULL)
		printf("\n%s\n", command->more);
	puts("");
	args_help(command->args);
	return CLI_OK;
}
