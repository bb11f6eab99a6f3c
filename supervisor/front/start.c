/* Starting runs. See start.h. */
#include "front/start.h"

#include <string.h>

#include "base/xalloc.h"

int
start_read_priority(const struct json *body, bool *has, enum priority *priority,
		    struct err *err)
{
	static const char *const names[PRIORITIES] = { "high", "normal", "low" };
	const char *text = NULL;

	*has = false;
	if (json_want_str(body, "priority", &text, err) < 0)
		return -1;
	if (text == NULL)
		return 0;
	for (int i = 0; i < PRIORITIES; i++)
		if (strcmp(text, names[i]) == 0) {
			*priority = (enum priority)i;
			*has = true;
			return 0;
		}
	return err_set(err, ERR_INPUT, "priority: expected high, normal or low");
}

int
start_read_project(const struct json *body, const struct uuid *confined,
		   struct uuid *room, const struct uuid **project, struct err *err)
{
	const char *text = NULL;

	*project = confined;
	if (json_want_str(body, "projectId", &text, err) < 0)
		return -1;
	if (text == NULL)
		return 0;
	if (!uuid_parse(text, strlen(text), room))
		return err_set(err, ERR_INPUT, "projectId: expected a UUID");
	if (confined != NULL && !uuid_equal(room, confined))
		return err_set(err, ERR_NOT_FOUND, "there is no such project");
	*project = room;
	return 0;
}

int
start_refuses(const struct catalog_entry *entry, const struct uuid *confined,
	      char **why)
{
	if (confined != NULL && entry->has_project &&
	    !uuid_equal(&entry->project, confined)) {
		*why = xstrdup("there is no such workflow");
		return 404;
	}
	if (!entry->active) {
		*why = xprintf("the workflow \"%s\" is not active: its file went away, "
			       "or it was deactivated",
			       entry->workflow->name);
		return 409;
	}
	return 0;
}
