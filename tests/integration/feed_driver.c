/*
 * The feed alone, for tests against a real PostgreSQL and Redis: subscriptions come as
 * lines on standard input, what they are given leaves as JSON lines on standard output,
 * each event with its messages in all dialects. Servers are those of the environment.
 *
 *	sub NAME RUN|every SINCE [workflow=ID] [project=ID] [confined=ID] [by=TEXT]
 *[alive] pause NAME | resume NAME | end NAME | sync
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/map.h"
#include "base/xalloc.h"
#include "front/dialect_core.h"
#include "front/feed.h"
#include "loop/stream.h"

struct driver {
	struct front front;
	struct stream *commands;
	struct map *subs;
};

struct sub {
	char *name;
	struct feed_sub *feed;
};

static void
say(struct json *line)
{
	struct buf text = { 0 };

	json_write(line, &text);
	printf("%s\n", buf_text(&text));
	buf_fini(&text);
	json_unref(&line);
}

static struct json *
line_of(const struct sub *sub, const char *what)
{
	struct json *line = json_new_object();

	json_set(line, "sub", json_new_str(sub->name));
	json_set(line, "what", json_new_str(what));
	return line;
}

static void
on_started(void *context, int64_t last_seq, const struct err *err)
{
	struct json *line =
	    line_of(context, err->kind == ERR_NONE ? "started" : "refused");

	json_set(line, "lastSeq", json_new_int(last_seq));
	json_set(line, "error", json_new_str(err_kind_name(err->kind)));
	say(line);
}

static void
on_event(void *context, const struct feed_event *event)
{
	static const char *const names[DIALECTS] = { "status", "colon", "camel" };
	struct json *line = line_of(context, "event");
	char run[UUID_TEXT];

	json_set(line, "run", json_new_str(uuid_format(&event->run, run)));
	json_set(line, "seq", json_new_int(event->seq));
	json_set(line, "type", json_new_str(event->type));
	json_set(line, "event", json_copy(event->event));
	json_set(line, "runDoc", json_copy(event->run_doc));
	json_set(line, "row", json_copy(event->row));
	for (int i = 0; i < DIALECTS; i++) {
		struct json *messages = json_new_array();

		dialect_encode((enum dialect)i, event, NULL, messages);
		json_set(line, names[i], messages);
	}
	say(line);
}

/* ---- commands ---- */

static void
parse_id(const char *text, struct uuid *out)
{
	if (!uuid_parse(text, strlen(text), out))
		fprintf(stderr, "no UUID: %s\n", text);
}

static void
parse_option(const char *word, struct feed_filter *filter)
{
	const char *value = strchr(word, '=');

	if (strcmp(word, "alive") == 0)
		filter->alive_only = true;
	else if (strncmp(word, "workflow=", 9) == 0)
		parse_id(value + 1, &filter->workflow);
	else if (strncmp(word, "project=", 8) == 0)
		parse_id(value + 1, &filter->project);
	else if (strncmp(word, "confined=", 9) == 0)
		parse_id(value + 1, &filter->confined);
	else if (strncmp(word, "by=", 3) == 0)
		filter->requested_by = value + 1;
	else
		fprintf(stderr, "unknown: %s\n", word);
}

static void
subscribe(struct driver *driver, char *words)
{
	const char *name = strsep(&words, " "), *run = strsep(&words, " ");
	const char *since = strsep(&words, " "), *word;
	struct sub *sub = xcalloc(1, sizeof *sub);
	struct feed_filter filter = { .every = strcmp(run, "every") == 0 };

	if (!filter.every)
		parse_id(run, &filter.run);
	while ((word = strsep(&words, " ")) != NULL)
		parse_option(word, &filter);
	sub->name = xstrdup(name);
	sub->feed = feed_subscribe(driver->front.feed, &filter, atoll(since),
				   on_started, on_event, sub);
	map_put(driver->subs, name, strlen(name), sub);
}

static void
sub_free(void *value)
{
	struct sub *sub = value;

	feed_unsubscribe(&sub->feed);
	free(sub->name);
	free(sub);
}

static void
run_command(struct driver *driver, char *line)
{
	const char *verb = strsep(&line, " ");
	struct sub *sub =
	    line != NULL ? map_get(driver->subs, line, strlen(line)) : NULL;

	if (strcmp(verb, "sub") == 0)
		subscribe(driver, line);
	else if (strcmp(verb, "sync") == 0)
		say(json_new_str("synced"));
	else if (sub == NULL)
		fprintf(stderr, "unknown: %s\n", verb);
	else if (strcmp(verb, "end") == 0)
		sub_free(map_remove(driver->subs, line, strlen(line)));
	else
		feed_pause(sub->feed, strcmp(verb, "pause") == 0);
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
	loop_stop(driver->front.loop);
}

static const struct stream_events events = { .on_input = on_commands,
					     .on_end = on_end };

int
main(void)
{
	struct driver driver = { 0 };
	struct err err = { 0 };
	char *report = NULL;
	struct settings *settings = settings_load("/dev/null", &report);
	int status = EXIT_FAILURE;

	setvbuf(stdout, NULL, _IOLBF, 0);
	log_open("driver", LOG_INFO, LOG_JSON);
	driver.subs = map_new();
	driver.front.settings = settings;
	driver.front.loop = settings != NULL ? loop_new(&err) : NULL;
	if (driver.front.loop == NULL)
		goto out;
	driver.front.feed = feed_new(&driver.front, &err);
	if (driver.front.feed == NULL)
		goto out;
	driver.commands = stream_new(driver.front.loop, STDIN_FILENO, &events, &driver);
	loop_run(driver.front.loop);
	status = EXIT_SUCCESS;
out:
	if (status != EXIT_SUCCESS)
		fprintf(stderr, "%s\n", report != NULL ? report : err.text);
	map_free(&driver.subs, sub_free);
	stream_free(&driver.commands);
	feed_free(&driver.front.feed);
	loop_free(&driver.front.loop);
	settings_free(&settings);
	free(report);
	return status;
}
