/* The options of a schedule as the body of a call. Pure but for @FILE. */
#ifndef CLI_SCHEDULE_WORDS_H
#define CLI_SCHEDULE_WORDS_H

#include "args.h"
#include "json/json.h"

#define SCHEDULE_WORDS_NONE "none" /* clears what is optional, where it can be */

/* Sets in body what the options say. ERR_INPUT: an option is wrong, by its name; what
 * only the server can judge is left to it. */
int schedule_words_read(const struct args *args, struct json *body, struct err *err);

#endif
