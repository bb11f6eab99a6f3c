/* A hello -> a workflow. See program_manifest.h. */
#include "engine/program_manifest.h"

#include <string.h>

#include "base/duration.h"

/* What a program may say beside its name; each as in a file. */
static const char *const members[] = {
	"name",     "description", "input",   "concurrency",
	"priority", "queue",       "trigger", "onInterrupt",
};

static bool
is_member(const char *key)
{
	for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
		if (strcmp(members[i], key) == 0)
			return true;
	return strcmp(key, "timeout") == 0;
}

static int
add_timeout(struct json *manifest, const struct json *value, struct err *err)
{
	char text[32];
	double ms =
	    json_type(value) == JSON_INT ? (double)json_int(value) : json_double(value);

	if (value == NULL)
		return 0;
	if (json_type(value) == JSON_STRING) {
		json_set(manifest, "timeout", json_copy(value));
		return 0;
	}
	if (!(ms >= 1 && ms <= 1e13))
		return err_set(err, ERR_INPUT, "timeout: expected milliseconds");
	duration_format((usec_t)ms * USEC_MS, text, sizeof text);
	json_set(manifest, "timeout", json_new_str(text));
	return 0;
}

static struct json *
program_value(const struct program_file *file)
{
	struct json *program = json_new_object();

	json_set(program, "file", json_new_str(file->path));
	json_set(program, "language",
		 json_new_str(program_language_name(file->language)));
	json_set(program, "checksum", json_new_str(file->checksum));
	if (file->text != NULL)
		json_set(program, "text", json_new_str_len(file->text, file->text_len));
	return program;
}

struct json *
program_manifest(const struct json *said, const struct program_file *file,
		 struct err *err)
{
	struct json *manifest = json_new_object();

	for (struct json_iter it = json_iter(said); json_next(&it);) {
		if (is_member(it.key))
			continue;
		err_set(err, ERR_INPUT,
			"the program says \"%.60s\" of itself, which a "
			"program has not",
			it.key);
		json_unref(&manifest);
		return NULL;
	}
	for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
		if (json_get(said, members[i]) != NULL)
			json_set(manifest, members[i],
				 json_copy(json_get(said, members[i])));
	if (add_timeout(manifest, json_get(said, "timeout"), err) < 0) {
		json_unref(&manifest);
		return NULL;
	}
	json_set(manifest, "program", program_value(file));
	return manifest;
}

static enum program_language
language_of(const char *name)
{
	for (int i = 0; name != NULL && i < PROGRAM_LANGUAGES; i++)
		if (strcmp(program_language_name((enum program_language)i), name) == 0)
			return (enum program_language)i;
	return PROGRAM_LANGUAGES;
}

static void
add_problem(struct problems *problems, const struct json *problem)
{
	const char *message = json_str(json_get(problem, "message"));

	problems_add_at(problems, (int)json_int(json_get(problem, "line")),
			(int)json_int(json_get(problem, "column")), "", "%s",
			message != NULL ? message : "it cannot be asked what it is");
}

static struct json *
manifest_of(const struct json *told, struct problems *problems)
{
	struct program_file file = {
		.path = json_str(json_get(told, "file")),
		.language = language_of(json_str(json_get(told, "language"))),
		.checksum = json_str(json_get(told, "checksum")),
		.text = json_str(json_get(told, "text")),
		.text_len = json_str_len(json_get(told, "text")),
	};
	struct json *manifest = NULL;
	struct err err = { 0 };

	if (file.path == NULL || file.checksum == NULL ||
	    file.language == PROGRAM_LANGUAGES)
		err_set(&err, ERR_INPUT, "it cannot be asked what it is");
	else
		manifest = program_manifest(json_get(told, "workflow"), &file, &err);
	if (manifest == NULL)
		problems_add_at(problems, 0, 0, "", "%s", err.text);
	return manifest;
}

struct json *
program_described(const char *text, size_t len, struct problems *problems)
{
	struct json *told = NULL, *manifest = NULL;
	struct err err = { 0 };

	if (json_parse(text, len, &told, &err) < 0)
		problems_add_at(problems, 0, 0, "", "it cannot be asked what it is: %s",
				err.text);
	else if (json_get(told, "problem") != NULL)
		add_problem(problems, json_get(told, "problem"));
	else
		manifest = manifest_of(told, problems);
	json_unref(&told);
	return manifest;
}
