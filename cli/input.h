/* JSON that is given on a command line. */
#ifndef CLI_INPUT_H
#define CLI_INPUT_H

#include <stddef.h>

#include "args.h"
#include "base/err.h"
#include "json/json.h"

#define INPUT_MAX ((size_t)4 * 1024 * 1024)

/* JSON, @FILE, or - for standard input; name: of the option, for what is wrong. */
int input_read_option(const char *option, const char *name, struct json **out,
		      struct err *err);
/* The option (NULL: none) with KEY=VALUE words set in it; VALUE is JSON where it is
 * JSON, else text. NULL where there is neither. The caller's also on failure. */
int input_read(const char *option, const char *const *words, size_t count,
	       struct json **out, struct err *err);

/* `input` and `steps` in the body of a call that tries a workflow out: of --input, the
 * words from this one on, and --steps. */
int input_fill_body(const struct args *args, size_t from, struct json *body,
		    struct err *err);

#endif
