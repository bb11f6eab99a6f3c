/*
 * A file called .yaml or .yml is YAML; any other is JSON, or if it is none, and not
 * called so, YAML.
 */
#include "schema_file.h"

#include <stdlib.h>
#include <string.h>

#include "conf/yaml.h"
#include "file.h"
#include "lang/schema_regex.h"

static bool
ends_with(const char *path, const char *end)
{
	size_t len = strlen(path), end_len = strlen(end);

	return len >= end_len && strcmp(path + len - end_len, end) == 0;
}

static bool
read_yaml(const char *text, size_t len, struct json **out, struct problems *problems)
{
	struct doc *doc = yaml_parse(text, len, problems);
	bool good = doc != NULL;

	if (good)
		*out = json_from_doc(doc);
	doc_free(&doc);
	return good;
}

/* The file's name stands in front of each problem anyway. */
static const char *
without_path(const char *text, const char *path)
{
	size_t len = strlen(path);

	if (strncmp(text, path, len) != 0 || strncmp(text + len, ": ", 2) != 0)
		return text;
	return text + len + 2;
}

bool
schema_file_value(const char *path, struct json **out, struct problems *problems)
{
	struct err err = { 0 };
	size_t len;
	char *text = file_read(path, SCHEMA_FILE_BYTES_MAX, &len, &err);
	bool yaml = ends_with(path, ".yaml") || ends_with(path, ".yml");
	bool good = false;

	*out = NULL;
	if (text != NULL && !yaml)
		good = json_parse(text, len, out, &err) == 0;
	if (text != NULL && !good && !ends_with(path, ".json"))
		good = read_yaml(text, len, out, problems);
	else if (!good)
		problems_add_at(problems, 0, 0, "", "%s", without_path(err.text, path));
	free(text);
	return good;
}

struct schema *
schema_file_read(const char *path, bool formats, struct problems *problems)
{
	struct schema_options options = { .regex = &schema_regex,
					  .assert_formats = formats };
	struct schema *schema = NULL;
	struct json *json;

	if (schema_file_value(path, &json, problems))
		schema = schema_compile(json, &options, problems);
	json_unref(&json);
	return schema;
}
