/* A tree -> what is run instead of steps. See program_read.h. */
#include "engine/program_read.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

#define FILE_MAX   4096
#define SHA256_LEN 64
#define TEXT_MAX   (256 * 1024)

static const char *const language_names[PROGRAM_LANGUAGES + 1] = {
	[PROGRAM_JAVASCRIPT] = "javascript",
	[PROGRAM_TYPESCRIPT] = "typescript",
	[PROGRAM_PYTHON] = "python",
	[PROGRAM_EXECUTABLE] = "executable",
};

static const struct {
	const char *ending;
	enum program_language language;
} endings[] = {
	{ ".js", PROGRAM_JAVASCRIPT },       { ".mjs", PROGRAM_JAVASCRIPT },
	{ ".ts", PROGRAM_TYPESCRIPT },       { ".py", PROGRAM_PYTHON },
	{ ".workflow", PROGRAM_EXECUTABLE },
};

const char *
program_language_name(enum program_language language)
{
	return language < PROGRAM_LANGUAGES ? language_names[language] : "unknown";
}

/* Declarations of types are no programs. */
static bool
is_declaration(const char *name, size_t len)
{
	static const char ending[] = ".d.ts";

	return len >= sizeof ending - 1 &&
	       strcmp(name + len - (sizeof ending - 1), ending) == 0;
}

enum program_language
program_language_of(const char *name)
{
	size_t len = strlen(name);

	if (name[0] == '.' || is_declaration(name, len))
		return PROGRAM_LANGUAGES;
	for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
		size_t ending = strlen(endings[i].ending);

		if (len > ending && strcmp(name + len - ending, endings[i].ending) == 0)
			return endings[i].language;
	}
	return PROGRAM_LANGUAGES;
}

static void
read_file(struct reader *reader, const struct place *place, void *into)
{
	struct program_def *program = into;
	const char *text = reader_text(reader, place, FILE_MAX);

	if (text != NULL && text[0] != '/')
		reader_problem(reader, place, "expected an absolute path");
	program->file = xstrdup(text);
}

static void
read_language(struct reader *reader, const struct place *place, void *into)
{
	struct program_def *program = into;
	int language = reader_choice(reader, place, language_names);

	if (language >= 0)
		program->language = (enum program_language)language;
}

static void
read_checksum(struct reader *reader, const struct place *place, void *into)
{
	struct program_def *program = into;
	const char *text = reader_text(reader, place, SHA256_LEN);

	if (text != NULL && strspn(text, "0123456789abcdef") != SHA256_LEN)
		reader_problem(reader, place, "expected a SHA-256 in hexadecimal");
	program->checksum = xstrdup(text);
}

static void
read_text(struct reader *reader, const struct place *place, void *into)
{
	struct program_def *program = into;

	if (!reader_is(reader, place, DOC_SCALAR))
		return;
	if (place->doc->len > TEXT_MAX) {
		reader_problem(reader, place, "more than 256 KiB");
		return;
	}
	program->text = xstrndup(place->doc->text, place->doc->len);
	program->text_len = place->doc->len;
}

static const struct key program_keys[] = {
	{ .name = "file", .read = read_file, .required = true },
	{ .name = "language", .read = read_language, .required = true },
	{ .name = "checksum", .read = read_checksum, .required = true },
	{ .name = "text", .read = read_text },
	{ 0 },
};

void
program_read(struct reader *reader, const struct place *top)
{
	struct workflow *workflow = reader->workflow;
	struct place place = place_member(top, "program");

	if (place.doc == NULL || !reader_is(reader, &place, DOC_MAP))
		return;
	workflow->program = xcalloc(1, sizeof *workflow->program);
	workflow->max_steps = PROGRAM_MAX_STEPS;
	reader_map(reader, &place, program_keys, NULL, workflow->program);
	if (place_member(top, "steps").doc != NULL)
		reader_problem(reader, &place, "a program has no `steps`");
}
