/*
 * The door to Redis alone, for tests against a real one: commands come as lines on
 * standard input, answers and events leave as JSON lines on standard output.
 * usage: queue_driver URL
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/xalloc.h"
#include "loop/stream.h"
#include "queue/queue.h"

struct driver {
	struct loop *loop;
	struct stream *commands;
	struct queue *queue;
	struct popper *popper;
	struct subscriber *subscriber;
	usec_t pop_began;
	int next_number;
};

static void
on_pop(void *context, const struct step_ref *refs, size_t count)
{
	struct driver *driver = context;

	printf("{\"pop\":%zu,\"first\":%d,\"took_ms\":%lld}\n", count,
	       count > 0 ? (int)refs[0].number : 0,
	       (long long)(loop_mono(driver->loop) - driver->pop_began) / 1000);
}

static void
on_depth(void *context, const int64_t depth[static PRIORITIES])
{
	(void)context;
	printf("{\"depth\":[%lld,%lld,%lld]}\n", (long long)depth[0],
	       (long long)depth[1], (long long)depth[2]);
}

static void
on_message(void *context, const char *channel, const void *data, size_t len)
{
	(void)context;
	if (data == NULL)
		printf("{\"resync\":true}\n");
	else
		printf("{\"message\":%zu,\"channel\":\"%s\"}\n", len, channel);
}

/* "push COUNT": rising step numbers into default, normal. */
static void
push(struct driver *driver, const char *argument)
{
	size_t count = (size_t)atol(argument);
	struct step_ref *refs = xcalloc(count + 1, sizeof *refs);

	for (size_t i = 0; i < count; i++)
		refs[i] = (struct step_ref){ uuid7_new(loop_now(driver->loop)),
					     ++driver->next_number };
	queue_push(driver->queue, "default", PRIORITY_NORMAL, refs, count);
	free(refs);
}

/* "pop MILLISECONDS" */
static void
pop(struct driver *driver, const char *argument)
{
	static const char *const names[] = { "default", "gpu" };
	static const enum priority order[] = { PRIORITY_HIGH, PRIORITY_NORMAL,
					       PRIORITY_LOW };

	driver->pop_began = loop_mono(driver->loop);
	popper_pop(driver->popper, names, 2, order, 64, atol(argument) * USEC_MS,
		   on_pop, driver);
}

static void
publish(struct driver *driver, const char *argument)
{
	queue_publish(driver->queue, CHANNEL_EVENTS, argument, strlen(argument));
}

static void
depth(struct driver *driver, const char *argument)
{
	queue_depth(driver->queue, argument, on_depth, driver);
}

static void
state(struct driver *driver, const char *argument)
{
	const struct queue_stats *queue = queue_stats(driver->queue);
	const struct queue_stats *popper = popper_stats(driver->popper);
	const struct queue_stats *subscriber = subscriber_stats(driver->subscriber);

	(void)argument;
	printf("{\"queue\":%d,\"subscriber\":%d,\"pushed\":%llu,\"dropped\":%llu,"
	       "\"popped\":%llu,\"garbage\":%llu,\"received\":%llu,\"connects\":[%llu,"
	       "%llu,%llu],\"lag_ms\":%lld}\n",
	       queue_is_up(driver->queue), subscriber_is_up(driver->subscriber),
	       (unsigned long long)queue->pushed, (unsigned long long)queue->dropped,
	       (unsigned long long)popper->popped, (unsigned long long)popper->garbage,
	       (unsigned long long)subscriber->received,
	       (unsigned long long)queue->connects,
	       (unsigned long long)popper->connects,
	       (unsigned long long)subscriber->connects,
	       (long long)loop_lag(driver->loop) / 1000);
}

struct command {
	const char *name;
	void (*run)(struct driver *driver, const char *argument);
};

static const struct command commands[] = {
	{ "push ", push },   { "pop ", pop },     { "publish ", publish },
	{ "depth ", depth }, { "state ", state },
};

static void
run_command(struct driver *driver, const char *line)
{
	for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
		size_t len = strlen(commands[i].name);

		if (strncmp(line, commands[i].name, len) == 0)
			commands[i].run(driver, line + len);
	}
}

static void
on_commands(void *context)
{
	struct driver *driver = context;
	struct buf *input = stream_input(driver->commands);
	char *end, *line;

	while (input->len > 0 &&
	       (end = memchr(input->data, '\n', input->len)) != NULL) {
		line = xstrndup(input->data, (size_t)(end - input->data));
		buf_consume(input, (size_t)(end - input->data) + 1);
		run_command(driver, line);
		free(line);
	}
}

static void
on_end(void *context, const char *error)
{
	struct driver *driver = context;

	(void)error;
	loop_stop(driver->loop);
}

static const struct stream_events events = { .on_input = on_commands,
					     .on_end = on_end };

int
main(int argc, char **argv)
{
	static const char *const channels[] = { CHANNEL_EVENTS, CHANNEL_CONTROL };
	struct queue_conf conf = { argc == 2 ? argv[1] : "", "sm" };
	struct driver driver = { 0 };
	struct err err = { 0 };
	int status = EXIT_FAILURE;

	setvbuf(stdout, NULL, _IOLBF, 0);
	log_open("driver", LOG_INFO, LOG_JSON);
	driver.loop = loop_new(&err);
	if (driver.loop == NULL)
		goto out;
	driver.queue = queue_new(driver.loop, &conf, &err);
	driver.popper = popper_new(driver.loop, &conf, &err);
	driver.subscriber =
	    subscriber_new(driver.loop, &conf, channels, 2, on_message, &driver, &err);
	if (err.kind != ERR_NONE)
		goto out;
	driver.commands = stream_new(driver.loop, STDIN_FILENO, &events, &driver);
	loop_run(driver.loop);
	status = EXIT_SUCCESS;
out:
	if (err.kind != ERR_NONE)
		fprintf(stderr, "%s\n", err.text);
	stream_free(&driver.commands);
	subscriber_free(&driver.subscriber);
	popper_free(&driver.popper);
	queue_free(&driver.queue);
	loop_free(&driver.loop);
	return status;
}
