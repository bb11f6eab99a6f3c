/* `secrets` of a configuration: read, copied, compared; refused with a reason. */
#include <stdint.h>
#include <stdlib.h>

#include "conf/secrets.h"
#include "conf/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct secret_sources sources = { 0 }, copy = { 0 };
	struct problems problems = { 0 };
	struct doc *tree = yaml_parse((const char *)data, len, &problems);

	if (tree != NULL) {
		secret_sources_read(&sources, tree, &problems);
		secret_sources_copy(&copy, &sources);
		for (size_t i = 0; i < sources.count; i++)
			if (!secret_source_equal(&sources.list[i], &copy.list[i]) ||
			    secret_source_find(&copy, sources.list[i].name) == NULL)
				abort();
		if (sources.count < tree->count && problems.count == 0)
			abort();
	}
	secret_sources_fini(&sources);
	secret_sources_fini(&copy);
	problems_fini(&problems);
	doc_free(&tree);
	return 0;
}
