/* The drafts by the URIs of their metaschemas, the vocabularies by theirs. */
#include "json/schema_dialect.h"

#include <string.h>

#define STANDARD                                                                       \
	(VOCAB_CORE | VOCAB_APPLICATOR | VOCAB_UNEVALUATED | VOCAB_VALIDATION |        \
	 VOCAB_FORMAT)

static const struct {
	const char *uri;
	unsigned draft;
} drafts[SCHEMA_DRAFTS] = {
	[SCHEMA_2020_12] = { "json-schema.org/draft/2020-12/schema", DRAFT_2020 },
	[SCHEMA_2019_09] = { "json-schema.org/draft/2019-09/schema", DRAFT_2019 },
	[SCHEMA_7] = { "json-schema.org/draft-07/schema", DRAFT_7 },
	[SCHEMA_6] = { "json-schema.org/draft-06/schema", DRAFT_6 },
};

static const char vocab_base[] = "https://json-schema.org/draft/";
static const struct {
	const char *name; /* behind vocab_base */
	unsigned bits;
} vocabularies[] = {
	{ "2020-12/vocab/core", VOCAB_CORE },
	{ "2020-12/vocab/applicator", VOCAB_APPLICATOR },
	{ "2020-12/vocab/unevaluated", VOCAB_UNEVALUATED },
	{ "2020-12/vocab/validation", VOCAB_VALIDATION },
	{ "2020-12/vocab/format-annotation", VOCAB_FORMAT },
	{ "2020-12/vocab/format-assertion", VOCAB_FORMAT | VOCAB_FORMAT_ASSERTION },
	{ "2020-12/vocab/meta-data", 0 },
	{ "2020-12/vocab/content", 0 },
	{ "2019-09/vocab/core", VOCAB_CORE },
	{ "2019-09/vocab/applicator", VOCAB_APPLICATOR | VOCAB_UNEVALUATED },
	{ "2019-09/vocab/validation", VOCAB_VALIDATION },
	{ "2019-09/vocab/format", VOCAB_FORMAT },
	{ "2019-09/vocab/meta-data", 0 },
	{ "2019-09/vocab/content", 0 },
};

struct dialect
schema_dialect_default(enum schema_draft draft)
{
	return (struct dialect){ drafts[draft].draft, STANDARD };
}

/* http or https, with an empty fragment or without one: all are written. */
bool
schema_dialect_find(const char *uri, struct dialect *out)
{
	size_t len = strlen(uri);

	if (len > 0 && uri[len - 1] == '#')
		len--;
	for (const char *const *scheme =
		 (const char *const[]){ "http://", "https://", NULL };
	     *scheme != NULL; scheme++) {
		size_t skip = strlen(*scheme);

		if (len < skip || memcmp(uri, *scheme, skip) != 0)
			continue;
		for (size_t i = 0; i < SCHEMA_DRAFTS; i++)
			if (strlen(drafts[i].uri) == len - skip &&
			    memcmp(drafts[i].uri, uri + skip, len - skip) == 0) {
				*out = schema_dialect_default((enum schema_draft)i);
				return true;
			}
	}
	return false;
}

static bool
find_vocabulary(const char *uri, unsigned *bits)
{
	size_t skip = sizeof vocab_base - 1;

	if (strncmp(uri, vocab_base, skip) != 0)
		return false;
	for (size_t i = 0; i < sizeof vocabularies / sizeof vocabularies[0]; i++)
		if (strcmp(uri + skip, vocabularies[i].name) == 0) {
			*bits |= vocabularies[i].bits;
			return true;
		}
	return false;
}

const char *
schema_dialect_read(const struct json *metaschema, struct dialect base,
		    struct dialect *out)
{
	const struct json *list = json_get(metaschema, "$vocabulary");

	*out = base;
	if (json_type(list) != JSON_OBJECT)
		return NULL;
	out->vocabularies = VOCAB_CORE;
	for (struct json_iter it = json_iter(list); json_next(&it);)
		if (!find_vocabulary(it.key, &out->vocabularies) && json_bool(it.value))
			return it.key;
	return NULL;
}
