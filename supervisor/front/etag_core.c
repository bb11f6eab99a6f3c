/* See etag_core.h. */
#include "front/etag_core.h"

#include <string.h>

bool
etag_is_listed(const char *list, const char *etag)
{
	size_t etag_len = strlen(etag);

	while (*list != '\0') {
		list += strspn(list, " \t,");
		if (list[0] == '*')
			return true;
		if (strncmp(list, "W/", 2) == 0)
			list += 2;
		if (strncmp(list, etag, etag_len) == 0)
			return true;
		list += strcspn(list, ",");
	}
	return false;
}
