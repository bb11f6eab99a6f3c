/* Reading prices. See prices.h. */
#include "conf/prices.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "conf/option.h"
#include "conf/problems_within.h"

static const struct option price_table[] = {
	{ "input", OPT_NUMBER, offsetof(struct price, input), NULL, NULL, NULL, 0,
	  "dollars per million tokens in" },
	{ "output", OPT_NUMBER, offsetof(struct price, output), NULL, NULL, NULL, 0,
	  "and out" },
	{ "cache_read", OPT_NUMBER, offsetof(struct price, cache_read), NULL, NULL,
	  NULL, 0, "and in, where the provider had them already" },
	{ .name = NULL },
};

void
prices_read(const char *owner, const struct doc *tree, struct price **list,
	    size_t *count, struct problems *problems)
{
	if (tree == NULL)
		return;
	if (tree->kind != DOC_MAP || tree->count > PRICES_MAX) {
		problems_add(
		    problems, tree, "",
		    "%s.prices: expected up to 256 models with {input, output}", owner);
		return;
	}
	*list = xcalloc(tree->count + 1, sizeof **list);
	for (size_t i = 0; i < tree->count; i++) {
		struct price *price = &(*list)[(*count)++];
		size_t before = problems->count;
		char *within = xprintf("%s.prices.%.64s", owner, tree->keys[i]->text);

		*price = (struct price){ .model = xstrdup(tree->keys[i]->text),
					 .cache_read = -1 };
		option_read(price_table, tree->items[i], price, problems);
		problems_within(problems, before, within);
		free(within);
	}
}

void
prices_free(struct price **list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free((*list)[i].model);
	free(*list);
	*list = NULL;
}

const struct price *
price_find(const struct price *list, size_t count, const char *model)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(list[i].model, model) == 0)
			return &list[i];
	return NULL;
}
