/* What a run, or a step, is given from the command line. See input.h. */
#include "input.h"

#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "base/xalloc.h"
#include "file.h"

int
input_read_option(const char *option, const char *name, struct json **out,
		  struct err *err)
{
	bool is_file = strcmp(option, "-") == 0 || option[0] == '@';
	size_t len = strlen(option);
	char *text = is_file ? file_read(option + (option[0] == '@' ? 1 : 0), INPUT_MAX,
					 &len, err)
			     : xstrdup(option);
	int result = text != NULL ? json_parse(text, len, out, err) : -1;

	free(text);
	return result < 0 ? err_in(err, "--%s", name) : 0;
}

static int
add_word(struct json *input, const char *word, struct err *err)
{
	const char *equals = strchr(word, '=');
	struct json *value = NULL;
	struct err none = { 0 };
	char *key;

	if (equals == NULL || equals == word)
		return err_set(err, ERR_INPUT, "\"%s\": expected KEY=VALUE", word);
	if (!utf8_valid(word, strlen(word)))
		return err_set(err, ERR_INPUT, "\"%s\" is not UTF-8", word);
	if (json_parse(equals + 1, strlen(equals + 1), &value, &none) < 0)
		value = json_new_str(equals + 1);
	key = xstrndup(word, (size_t)(equals - word));
	json_set(input, key, value);
	free(key);
	return 0;
}

int
input_read(const char *option, const char *const *words, size_t count,
	   struct json **out, struct err *err)
{
	*out = NULL;
	if (option != NULL && input_read_option(option, "input", out, err) < 0)
		return -1;
	if (count == 0)
		return 0;
	if (*out == NULL)
		*out = json_new_object();
	if (json_type(*out) != JSON_OBJECT)
		return err_set(err, ERR_INPUT,
			       "KEY=VALUE needs an input that is an object");
	for (size_t i = 0; i < count; i++)
		if (add_word(*out, words[i], err) < 0)
			return -1;
	return 0;
}

int
input_fill_body(const struct args *args, size_t from, struct json *body,
		struct err *err)
{
	const char *option = args_value(args, "steps");
	struct json *input = NULL, *steps = NULL;
	int result = input_read(args_value(args, "input"), args->words + from,
				args->words_count - from, &input, err);

	if (result == 0 && option != NULL)
		result = input_read_option(option, "steps", &steps, err);
	if (input != NULL)
		json_set(body, "input", input);
	if (steps != NULL)
		json_set(body, "steps", steps);
	return result;
}
