/*
 * The YAML door with anything: it must end soon, and either give a tree within its
 * limits or say what is wrong.
 */
#include <stdint.h>
#include <stdlib.h>

#include "conf/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void
check(const struct doc *doc, int depth, size_t *nodes)
{
	if (doc->kind != DOC_SCALAR && ++depth > YAML_DEPTH_MAX)
		abort();
	if (++*nodes > YAML_NODES_MAX || doc->line < 1 || doc->column < 1)
		abort();
	for (size_t i = 0; i < doc->count; i++) {
		if (doc->kind == DOC_MAP && doc->keys[i]->kind != DOC_SCALAR)
			abort();
		if (doc->kind == DOC_MAP)
			check(doc->keys[i], depth, nodes);
		check(doc->items[i], depth, nodes);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct problems problems = { 0 };
	struct doc *doc = yaml_parse((const char *)data, len, &problems);
	size_t nodes = 0;

	if ((doc == NULL) == (problems.count == 0))
		abort();
	if (doc != NULL)
		check(doc, 0, &nodes);
	doc_free(&doc);
	problems_fini(&problems);
	return 0;
}
