/* Reads a command line by a table. See args.h. */
#include "args.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/doc.h"

static int
row_by_name(const struct arg *table, const char *name, size_t len)
{
	for (int i = 0; table[i].name != NULL; i++)
		if (strlen(table[i].name) == len &&
		    strncmp(table[i].name, name, len) == 0)
			return i;
	return -1;
}

static int
row_by_letter(const struct arg *table, char letter)
{
	for (int i = 0; table[i].name != NULL; i++)
		if (table[i].letter == letter)
			return i;
	return -1;
}

static int
unknown(const struct arg *table, const char *word, struct err *err)
{
	const char *names[ARGS_OPTIONS_MAX + 1] = { 0 };
	const char *nearest;
	char bare[128];

	for (int i = 0; table[i].name != NULL && i < ARGS_OPTIONS_MAX; i++)
		names[i] = table[i].name;
	snprintf(bare, sizeof bare, "%s", word + strspn(word, "-"));
	bare[strcspn(bare, "=")] = '\0';
	nearest = nearest_name(bare, names);
	if (nearest != NULL)
		return err_set(err, ERR_INPUT, "unknown option %s; did you mean --%s?",
			       word, nearest);
	return err_set(err, ERR_INPUT, "unknown option %s; see --help", word);
}

/* Which row of the table the word names; *attached: a value in the same word, or NULL.
 * -1: none. */
static int
find_row(const struct arg *table, const char *word, const char **attached)
{
	const char *equals = strchr(word, '=');
	int row;

	*attached = NULL;
	if (word[1] == '-') {
		*attached = equals != NULL ? equals + 1 : NULL;
		return row_by_name(table, word + 2,
				   equals ? (size_t)(equals - word) - 2
					  : strlen(word) - 2);
	}
	row = row_by_letter(table, word[1]);
	if (word[2] != '\0')
		*attached = word + 2;
	return row >= 0 && word[2] != '\0' && table[row].value == NULL ? -1 : row;
}

/* Reads the option at argv[*at]; moves *at over its value. */
static int
read_option(struct args *args, int argc, char **argv, int *at, struct err *err)
{
	const char *attached;
	int row = find_row(args->table, argv[*at], &attached);

	if (row < 0)
		return unknown(args->table, argv[*at], err);
	if (args->table[row].value == NULL) {
		if (attached != NULL)
			return err_set(err, ERR_INPUT, "--%s takes no value",
				       args->table[row].name);
		args->values[row] = "";
	} else if (attached != NULL) {
		args->values[row] = attached;
	} else if (*at + 1 < argc) {
		args->values[row] = argv[++*at];
	} else {
		return err_set(err, ERR_INPUT, "--%s needs a value: %s",
			       args->table[row].name, args->table[row].value);
	}
	return 0;
}

int
args_read(struct args *args, const struct arg *table, int argc, char **argv,
	  struct err *err)
{
	bool options = true;

	*args = (struct args){ .table = table };
	for (int i = 1; i < argc; i++) {
		if (options && strcmp(argv[i], "--") == 0) {
			options = false;
		} else if (options && argv[i][0] == '-' && argv[i][1] != '\0') {
			if (read_option(args, argc, argv, &i, err) < 0)
				return -1;
		} else if (args->words_count == ARGS_WORDS_MAX) {
			return err_set(err, ERR_INPUT, "more than %d words",
				       ARGS_WORDS_MAX);
		} else {
			args->words[args->words_count++] = argv[i];
		}
	}
	return 0;
}

const char *
args_value(const struct args *args, const char *name)
{
	int row = row_by_name(args->table, name, strlen(name));

	if (row < 0)
		bug("this command has no option --%s", name);
	return args->values[row];
}

bool
args_has(const struct args *args, const char *name)
{
	return args_value(args, name) != NULL;
}

int
count_read(const char *what, const char *text, long min, long max, long *out,
	   struct err *err)
{
	char *end;
	long value;

	errno = 0;
	value = strtol(text, &end, 10);
	if (text[0] == '\0' || isspace((unsigned char)text[0]) || *end != '\0' ||
	    errno != 0 || value < min || value > max)
		return err_set(err, ERR_INPUT,
			       "%s: expected a whole number from %ld to %ld, got "
			       "\"%s\"",
			       what, min, max, text);
	*out = value;
	return 0;
}

int
args_count(const struct args *args, const char *name, long min, long max, long *out,
	   struct err *err)
{
	const char *text = args_value(args, name);
	char what[64];

	if (text == NULL)
		return 0;
	snprintf(what, sizeof what, "--%s", name);
	return count_read(what, text, min, max, out, err);
}

void
args_help(const struct arg *table)
{
	char left[80];

	for (int i = 0; table[i].name != NULL; i++) {
		snprintf(
		    left, sizeof left, "%c%c%s--%s%s%s", table[i].letter ? '-' : ' ',
		    table[i].letter ? table[i].letter : ' ',
		    table[i].letter ? ", " : "  ", table[i].name,
		    table[i].value ? " " : "", table[i].value ? table[i].value : "");
		printf("  %-30s %s\n", left, table[i].help);
	}
}
