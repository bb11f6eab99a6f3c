/* What the table of settings cannot say: forms of texts, and settings that have to fit
 * each other. */
#ifndef CONF_SETTINGS_CHECK_H
#define CONF_SETTINGS_CHECK_H

#include "conf/settings.h"

struct settings_rule {
	const char *name; /* of the option that is wrong when it does not hold */
	bool (*holds)(const struct settings *settings);
	const char *otherwise; /* "expected ..." */
};

extern const struct settings_rule settings_rules[]; /* name NULL ends them */

#endif
