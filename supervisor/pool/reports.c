/* One timer: what changes while it runs is told together when it ends. */
#include "pool/reports.h"

#include <stdlib.h>

#include "base/xalloc.h"
#include "loop/parent.h"
#include "pool/child.h"
#include "pool/report_core.h"

#define PAUSE    (200 * USEC_MS)
#define JSON_MAX (PARENT_LINE_MAX - 16)

struct reports {
	struct loop *loop;
	const struct pool_core *core;
	struct notify *notify;
	struct timer *timer; /* set: one was sent less than a pause ago */
	bool changed;        /* since then */
};

static void
tell_manager(struct reports *reports)
{
	int ready = 0, used = 0;

	list_each (link, &reports->core->workers) {
		const struct seat *seat = container_of(link, struct seat, link);

		ready += seat->state == SEAT_READY ? 1 : 0;
		used += seat->used;
	}
	notify_say(reports->notify, "STATUS=%d of %d workers ready, %d steps running%s",
		   ready, reports->core->desired, used,
		   reports->core->leaving ? ", draining" : "");
}

static void
send_now(struct reports *reports)
{
	const struct seat *front = &reports->core->front;
	struct buf json = { 0 };

	reports->changed = false;
	timer_set(reports->timer, PAUSE);
	tell_manager(reports);
	if (front->state != SEAT_READY && front->state != SEAT_LEAVING)
		return; /* it gets a whole report when it is ready */
	report_write(reports->core, JSON_MAX, &json);
	child_say(front->child, "pool %s", buf_text(&json));
	buf_fini(&json);
}

static void
on_pause_over(void *context)
{
	struct reports *reports = context;

	if (reports->changed)
		send_now(reports);
}

struct reports *
reports_new(struct loop *loop, const struct pool_core *core, struct notify *notify)
{
	struct reports *reports = xcalloc(1, sizeof *reports);

	reports->loop = loop;
	reports->core = core;
	reports->notify = notify;
	reports->timer = timer_new(loop, on_pause_over, reports);
	return reports;
}

void
reports_free(struct reports **reports_p)
{
	if (*reports_p == NULL)
		return;
	timer_free(&(*reports_p)->timer);
	free(*reports_p);
	*reports_p = NULL;
}

void
reports_changed(struct reports *reports)
{
	reports->changed = true;
	if (!timer_is_set(reports->timer))
		send_now(reports);
}
