/* One string with {{ expressions }} in it, as the parts it is made of. */
#ifndef LANG_TEMPLATE_TEXT_H
#define LANG_TEMPLATE_TEXT_H

#include "lang/cel.h"

struct template_part { /* an expression, or text when cel is NULL */
	struct cel *cel;
	char *text;
	size_t len;
};

struct template_text {
	struct template_part *parts;
	size_t count;
	bool dynamic; /* holds an expression */
};

/* -1 with err ("1:9: ...") and *place. */
int template_text_compile(const char *text, size_t len, struct template_text *out,
			  struct cel_place *place, struct err *err);
void template_text_fini(struct template_text *text);
/* It is one expression and nothing else: its value keeps its type. */
bool template_text_is_whole(const struct template_text *text);
int template_text_resolve(const struct template_text *text,
			  const struct cel_scope *scope, struct json **out,
			  struct err *err);

#endif
