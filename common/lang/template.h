/*
 * JSON values whose strings may hold {{ expression }}: compiled once, resolved often. A
 * string that is exactly one template keeps the value's JSON type; in a longer string
 * values are written as text (strings as they are, null as nothing, others as JSON).
 * "{{{{" writes a literal "{{".
 */
#ifndef LANG_TEMPLATE_H
#define LANG_TEMPLATE_H

#include "lang/cel.h"

#define TEMPLATE_TEXT_MAX (16 * 1024 * 1024) /* of one resolved string, in bytes */

struct template;

/* NULL with err and, when place is given, where in the string: the path of the string
 * ("args.command") is in front of err's text. */
struct template *template_compile(const struct json *value, struct cel_place *place,
				  struct err *err);
void template_free(struct template **template_p);
/* The resolved value in *out (the caller's), or -1 with err naming the path. A template
 * without expressions costs a reference. */
int template_resolve(const struct template *tmpl, const struct cel_scope *scope,
		     struct json **out, struct err *err);
bool template_is_constant(const struct template *tmpl);
void template_refs(const struct template *tmpl, cel_ref_fn *fn, void *context);

#endif
