/* Which draft and which vocabularies a schema is written in. */
#ifndef JSON_SCHEMA_DIALECT_H
#define JSON_SCHEMA_DIALECT_H

#include <stdbool.h>
#include <stddef.h>

#include "json/schema.h"

enum { DRAFT_6 = 1, DRAFT_7 = 2, DRAFT_2019 = 4, DRAFT_2020 = 8 };
#define DRAFTS_OLD (DRAFT_6 | DRAFT_7)
#define DRAFTS_NEW (DRAFT_2019 | DRAFT_2020)
#define DRAFTS_ALL (DRAFTS_OLD | DRAFTS_NEW)

enum {
	VOCAB_CORE = 1, /* always there */
	VOCAB_APPLICATOR = 2,
	VOCAB_UNEVALUATED = 4,
	VOCAB_VALIDATION = 8,
	VOCAB_FORMAT = 16,
	VOCAB_FORMAT_ASSERTION = 32,
};

struct dialect {
	unsigned draft;        /* one of DRAFT_... */
	unsigned vocabularies; /* bits of VOCAB_... */
};

struct dialect schema_dialect_default(enum schema_draft draft);
/* The dialect with this metaschema; false when it is not one that is built in. */
bool schema_dialect_find(const char *uri, struct dialect *out);
/* The dialect of a metaschema of somebody's own, which is itself written in base. NULL,
 * or the URI of a vocabulary that it cannot do without and that is not known. */
const char *schema_dialect_read(const struct json *metaschema, struct dialect base,
				struct dialect *out);

#endif
