/*
 * The control channel to the supervisor's parent: lines in, lines out. What the lines
 * mean is the business of those who say and hear them.
 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "loop/parent.h"
#include "loop/stream.h"

#define UNSENT_MAX (256 * 1024) /* a parent that does not read loses lines, not us */

struct parent {
	struct loop *loop;
	struct stream *stream; /* NULL once the parent is gone */
	parent_line_fn *on_line;
	parent_gone_fn *on_gone;
	void *context;
};

static void
gone(struct parent *parent, const char *why)
{
	log_warn("parent.lost", F_STR("why", why));
	stream_free(&parent->stream);
	parent->on_gone(parent->context);
}

/* Hands over the first line of the input; false when there is no whole one. */
static bool
take_line(struct parent *parent)
{
	struct buf *input = stream_input(parent->stream);
	char *end = input->len > 0 ? memchr(input->data, '\n', input->len) : NULL;
	char *line;

	if (end == NULL)
		return false;
	line = xstrndup(input->data, (size_t)(end - input->data));
	buf_consume(input, (size_t)(end - input->data) + 1);
	if (strlen(line) <= PARENT_LINE_MAX)
		parent->on_line(parent->context, line);
	else
		gone(parent, "a line past the limit");
	free(line);
	return true;
}

static void
on_input(void *context)
{
	struct parent *parent = context;

	while (parent->stream != NULL && take_line(parent))
		;
	if (parent->stream != NULL &&
	    stream_input(parent->stream)->len > PARENT_LINE_MAX)
		gone(parent, "a line past the limit");
}

static void
on_end(void *context, const char *error)
{
	gone(context, error != NULL ? error : "end of file");
}

static const struct stream_events events = { .on_input = on_input, .on_end = on_end };

static bool
has_channel(void)
{
	const char *told = getenv("STEPMILL_PARENT");
	struct stat st;

	return told != NULL && strcmp(told, "3") == 0 && fstat(PARENT_FD, &st) == 0 &&
	       S_ISSOCK(st.st_mode);
}

struct parent *
parent_new(struct loop *loop, parent_line_fn *on_line, parent_gone_fn *on_gone,
	   void *context)
{
	struct parent *parent;

	if (!has_channel())
		return NULL;
	parent = xcalloc(1, sizeof *parent);
	parent->loop = loop;
	parent->on_line = on_line;
	parent->on_gone = on_gone;
	parent->context = context;
	parent->stream = stream_new(loop, PARENT_FD, &events, parent);
	return parent;
}

static void
free_memory(void *context)
{
	free(context);
}

void
parent_free(struct parent **parent_p)
{
	struct parent *parent = *parent_p;

	if (parent == NULL)
		return;
	*parent_p = NULL;
	stream_free(&parent->stream);
	loop_defer(parent->loop, free_memory, parent);
}

void
parent_say(struct parent *parent, const char *format, ...)
{
	struct buf line = { 0 };
	va_list args;

	if (parent == NULL || parent->stream == NULL)
		return;
	va_start(args, format);
	buf_vprintf(&line, format, args);
	va_end(args);
	if (line.len > PARENT_LINE_MAX || memchr(line.data, '\n', line.len) != NULL)
		bug("parent_say: not one short line");
	buf_char(&line, '\n');
	if (stream_unsent(parent->stream) < UNSENT_MAX)
		stream_write(parent->stream, line.data, line.len);
	buf_fini(&line);
}
