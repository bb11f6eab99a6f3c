/* stepmill eval: one expression, on its own or with variables from a file. */
#ifndef CLI_EVAL_H
#define CLI_EVAL_H

#include "args.h"

extern const struct arg eval_args[];

/* argv[0] is "eval". The exit status: 0 a result, 1 an error in the expression or while
 * it ran, 2 wrong use. */
int eval_main(int argc, char **argv);

#endif
