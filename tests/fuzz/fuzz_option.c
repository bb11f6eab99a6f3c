/*
 * A configuration of any text: each option within its limits or a problem told, and
 * what is dumped reads back to the same dump.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/usec.h"
#include "conf/option.h"
#include "conf/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

struct conf {
	char *text;
	long count, bytes;
	usec_t duration;
	bool flag;
	struct texts texts;
	double number;
	struct doc *tree;
};

#define AT(field) offsetof(struct conf, field)

static const struct option table[] = {
	{ "a.text", OPT_TEXT, AT(text), "x", NULL, NULL, 0, "a text" },
	{ "a.count", OPT_COUNT, AT(count), "8", "1", "256", 0, "a count" },
	{ "a.bytes", OPT_BYTES, AT(bytes), "4MiB", "1KiB", "1GiB", 0, "bytes" },
	{ "b.time", OPT_DURATION, AT(duration), "1h", "1s", "1d", 0, "a time" },
	{ "b.flag", OPT_FLAG, AT(flag), "true", NULL, NULL, 0, "a flag" },
	{ "list", OPT_TEXTS, AT(texts), "a, b", NULL, NULL, 0, "texts" },
	{ "number", OPT_NUMBER, AT(number), "0.5", NULL, NULL, 0, "a number" },
	{ "tree", OPT_TREE, AT(tree), NULL, NULL, NULL, 0, "a tree" },
	{ .name = NULL },
};

static void
read_over(struct conf *conf, const char *text, size_t len, struct problems *problems)
{
	struct doc *doc = yaml_parse(text, len, problems);

	option_defaults(table, conf);
	if (doc != NULL)
		option_read(table, doc, conf, problems);
	doc_free(&doc);
}

static void
check_limits(const struct conf *conf)
{
	if (conf->count < 1 || conf->count > 256 || conf->bytes < 1024 ||
	    conf->bytes > 1 << 30 || conf->duration < USEC_SECOND ||
	    conf->duration > 86400 * USEC_SECOND || conf->text == NULL)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct problems problems = { 0 };
	struct conf conf = { 0 }, again = { 0 };
	char *dump, *dump_again;

	read_over(&conf, (const char *)data, len, &problems);
	check_limits(&conf);
	if (problems.count == 0) {
		dump = option_dump(table, &conf);
		read_over(&again, dump, strlen(dump), &problems);
		dump_again = option_dump(table, &again);
		if (problems.count > 0 || strcmp(dump, dump_again) != 0)
			abort();
		free(dump);
		free(dump_again);
		option_fini(table, &again);
	}
	problems_fini(&problems);
	option_fini(table, &conf);
	return 0;
}
