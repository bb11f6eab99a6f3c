/* Registers the engine's own workflows. See own_workflows.h. */
#include "front/own_workflows.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/xalloc.h"
#include "front/catalog.h"

#define LOOK  (10 * USEC_MS) /* while PostgreSQL is not reached yet */
#define AGAIN USEC_SECOND

struct own_workflows {
	struct front *front;
	struct timer *timer;
	const struct own_text *next;
};

bool
own_workflow_is(const char *name)
{
	return strncmp(name, OWN_WORKFLOW, strlen(OWN_WORKFLOW)) == 0;
}

static void register_next(struct own_workflows *own);

static void
on_registered(void *context, const struct registered *registered, const struct err *err)
{
	struct own_workflows *own = context;

	if (registered == NULL) {
		log_warn("workflow.not_registered", F_STR("workflow", own->next->name),
			 F_STR("why", err->text));
		timer_set(own->timer, AGAIN);
		return;
	}
	if (registered->is_new)
		log_info("workflow.registered", F_STR("workflow", registered->name),
			 F_INT("version", registered->version));
	own->next++;
	register_next(own);
}

static void
register_next(struct own_workflows *own)
{
	struct problems problems = { 0 };
	struct front *front = own->front;
	char *why;

	if (own->next->name == NULL)
		return;
	if (catalog_register_own(front->catalog, front->write, own->next->text,
				 own->next->len, &problems, on_registered, own) < 0) {
		why = problem_text(&problems, 0);
		bug("the workflow %s: %s", own->next->name, why);
	}
	problems_fini(&problems);
}

static void
on_timer(void *context)
{
	struct own_workflows *own = context;

	if (pg_is_up(own->front->write))
		register_next(own);
	else
		timer_set(own->timer, LOOK);
}

struct own_workflows *
own_workflows_new(struct front *front)
{
	struct own_workflows *own = xcalloc(1, sizeof *own);

	own->front = front;
	own->next = own_texts;
	own->timer = timer_new(front->loop, on_timer, own);
	timer_set(own->timer, 0);
	return own;
}

bool
own_workflows_are_there(const struct own_workflows *own)
{
	return own->next->name == NULL;
}

void
own_workflows_free(struct own_workflows **own_p)
{
	struct own_workflows *own = *own_p;

	if (own == NULL)
		return;
	timer_free(&own->timer);
	free(own);
	*own_p = NULL;
}
