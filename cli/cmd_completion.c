/* stepmill completion: what shells ask for, made from the tables of commands and
 * options. */
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "words.h"

const struct arg completion_args[] = { COMMAND_ARGS };

/* Inside single quotes of a shell; also escapes what stands in escaped. */
static void
put_text(const char *text, const char *quote, const char *escaped)
{
	for (; *text != '\0'; text++) {
		if (*text == '\'') {
			fputs(quote, stdout);
			continue;
		}
		if (strchr(escaped, *text) != NULL)
			putchar('\\');
		putchar(*text);
	}
}

static void
put_words(const char *text)
{
	char word[WORDS_LEN_MAX];
	bool first = true;

	for (struct words it = words_of(text); words_next(&it, word); first = false)
		printf("%s%s", first ? "" : " ", word);
}

static const struct arg *
first_arg(const struct command *command)
{
	static const struct arg none[] = { { 0 } };

	return command->args != NULL ? command->args : none;
}

/* ---- bash ---- */

static void
bash_values(const struct command *command)
{
	for (const struct arg *it = first_arg(command); it->name != NULL; it++) {
		if (it->value == NULL)
			continue;
		printf("\t\t--%s", it->name);
		if (it->letter)
			printf("|-%c", it->letter);
		fputs(") COMPREPLY=($(compgen -W '", stdout);
		put_words(it->value);
		puts("' -- \"$cur\")); return;;");
	}
}

static void
bash_command(const struct command *command)
{
	printf("\t%s)\n\t\tcase $prev in\n", command->name);
	bash_values(command);
	printf("\t\tesac\n\t\toptions='");
	for (const struct arg *it = first_arg(command); it->name != NULL; it++)
		printf("%s--%s", it == first_arg(command) ? "" : " ", it->name);
	printf("'\n\t\twords='");
	put_words(command->words);
	puts("'\n\t\t;;");
}

static void
bash(void)
{
	puts("# bash completion for stepmill: source it, or put it into\n"
	     "# /usr/share/bash-completion/completions/stepmill\n"
	     "_stepmill()\n{\n"
	     "\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n"
	     "\tlocal options= words=\n"
	     "\tCOMPREPLY=()\n"
	     "\tif [ \"$COMP_CWORD\" -eq 1 ]; then");
	fputs("\t\tCOMPREPLY=($(compgen -W '", stdout);
	for (const struct command *it = commands; it->name != NULL; it++)
		printf("%s ", it->name);
	puts("--help --version' -- \"$cur\"))\n\t\treturn\n\tfi\n"
	     "\tcase ${COMP_WORDS[1]} in");
	for (const struct command *it = commands; it->name != NULL; it++)
		bash_command(it);
	puts("\tesac\n"
	     "\tcase $cur in\n"
	     "\t-*) COMPREPLY=($(compgen -W \"$options\" -- \"$cur\"));;\n"
	     "\t*) [ \"$COMP_CWORD\" -gt 2 ] || "
	     "COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"));;\n"
	     "\tesac\n}\n"
	     "complete -o default -F _stepmill stepmill");
}

/* ---- zsh ---- */

static void
zsh_option(const struct arg *arg)
{
	fputs(" \\\n\t\t'", stdout);
	if (arg->letter)
		printf("(-%c --%s)'{-%c%s,--%s%s}'", arg->letter, arg->name,
		       arg->letter, arg->value ? "+" : "", arg->name,
		       arg->value ? "=" : "");
	else
		printf("--%s%s", arg->name, arg->value ? "=" : "");
	putchar('[');
	put_text(arg->help, "'\\''", "[]:");
	putchar(']');
	if (arg->value != NULL) {
		putchar(':');
		put_text(arg->value, "'\\''", "[]:");
		putchar(':');
		if (words_any(arg->value)) {
			putchar('(');
			put_words(arg->value);
			putchar(')');
		} else {
			fputs("_files", stdout);
		}
	}
	putchar('\'');
}

static void
zsh_command(const struct command *command)
{
	printf("\t%s) _arguments", command->name);
	for (const struct arg *it = first_arg(command); it->name != NULL; it++)
		zsh_option(it);
	if (words_any(command->words)) {
		fputs(" \\\n\t\t'1:word:(", stdout);
		put_words(command->words);
		fputs(")'", stdout);
	}
	puts(" \\\n\t\t'*:file:_files';;");
}

static void
zsh(void)
{
	puts("#compdef stepmill\n_stepmill()\n{\n\tlocal -a list\n\tlist=(");
	for (const struct command *it = commands; it->name != NULL; it++) {
		printf("\t\t'%s:", it->name);
		put_text(it->help, "'\\''", ":");
		puts("'");
	}
	puts("\t)\n"
	     "\tif (( CURRENT == 2 )); then\n"
	     "\t\t_describe command list\n\t\treturn\n\tfi\n"
	     "\tlocal command=$words[2]\n"
	     "\tshift words\n\t(( CURRENT-- ))\n"
	     "\tcase $command in");
	for (const struct command *it = commands; it->name != NULL; it++)
		zsh_command(it);
	puts("\tesac\n}\n"
	     "if [ \"$funcstack[1]\" = _stepmill ]; then\n"
	     "\t_stepmill \"$@\"\nelse\n\tcompdef _stepmill stepmill\nfi");
}

/* ---- fish ---- */

static void
fish_option(const struct command *command, const struct arg *arg)
{
	printf("complete -c stepmill -n '__fish_seen_subcommand_from %s' -l %s",
	       command->name, arg->name);
	if (arg->letter)
		printf(" -s %c", arg->letter);
	if (arg->value != NULL && words_any(arg->value)) {
		fputs(" -xa '", stdout);
		put_words(arg->value);
		putchar('\'');
	} else if (arg->value != NULL) {
		fputs(" -r", stdout);
	}
	fputs(" -d '", stdout);
	put_text(arg->help, "\\'", "\\");
	puts("'");
}

static void
fish_command(const struct command *command)
{
	printf("complete -c stepmill -n __fish_use_subcommand -f -a %s -d '",
	       command->name);
	put_text(command->help, "\\'", "\\");
	puts("'");
	if (words_any(command->words)) {
		printf("complete -c stepmill -n '__fish_seen_subcommand_from %s' -a '",
		       command->name);
		put_words(command->words);
		puts("'");
	}
	for (const struct arg *it = first_arg(command); it->name != NULL; it++)
		fish_option(command, it);
}

static void
fish(void)
{
	puts("# fish completion for stepmill: put it into\n"
	     "# ~/.config/fish/completions/stepmill.fish");
	for (const struct command *it = commands; it->name != NULL; it++)
		fish_command(it);
}

int
cmd_completion(const struct command *command, const struct args *args)
{
	static const struct {
		const char *name;
		void (*print)(void);
	} shells[] = { { "bash", bash }, { "zsh", zsh }, { "fish", fish } };

	for (size_t i = 0; i < sizeof shells / sizeof *shells; i++)
		if (args->words_count == 1 &&
		    strcmp(shells[i].name, args->words[0]) == 0) {
			shells[i].print();
			return CLI_OK;
		}
	return command_usage(command, "name a shell: bash, zsh or fish");
}
