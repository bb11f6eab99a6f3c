/* "%s has %d".format([name, count]) */
#ifndef LANG_CEL_FORMAT_H
#define LANG_CEL_FORMAT_H

#include "lang/cel_function.h"

cel_fn cel_format;

#endif
