/*
 * For tests that run real programs: a loop, the shared part of programs, an attempt,
 * and how the last program ended. A program that hangs ends the test after a deadline.
 */
#ifndef TESTS_PROGRAM_FIXTURE_H
#define TESTS_PROGRAM_FIXTURE_H

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/xalloc.h"
#include "program.h"
#include "programs.h"

#define DEADLINE (20 * USEC_SECOND)

struct fixture {
	struct loop *loop;
	struct settings settings;
	struct services services;
	struct step_def def;
	struct attempt attempt;
	struct programs *programs;
	struct program *program;
	struct timer *deadline;
	int folder;
	/* of the last program */
	bool done, started, stopped, final, cut, channel_cut;
	int exit_status, signal;
	char code[64], why[256];
	struct buf out, errors, channel;
	uint64_t total;
};

extern char **environ;

static inline char *
fixture_init_path(void)
{
	char path[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", path, sizeof path - 1);

	path[len > 0 ? len : 0] = '\0';
	for (int i = 0; i < 2; i++)
		if (strrchr(path, '/') != NULL)
			*strrchr(path, '/') = '\0';
	return xprintf("%s/bin/stepmill-init", path);
}

static inline void
fixture_late(void *context)
{
	(void)context;
	fputs("a program did not end in time\n", stderr);
	abort();
}

static inline void
fixture_init(struct fixture *f, enum isolation isolation)
{
	struct programs_conf conf = { .isolation = isolation };
	struct err err = { 0 };
	char *init = fixture_init_path();

	log_open("test", LOG_ERROR, LOG_TEXT);
	f->loop = loop_new(&err);
	if (f->settings.worker_output_max == 0)
		f->settings.worker_output_max = 64 * 1024;
	conf.loop = f->loop;
	conf.settings = &f->settings;
	conf.environment = environ;
	conf.init = init;
	f->programs = programs_new(&conf, &err);
	if (f->programs == NULL) {
		fprintf(stderr, "%s\n", err.text);
		abort();
	}
	free(init);
	f->services = (struct services){ .loop = f->loop,
					 .settings = &f->settings,
					 .environment = environ,
					 .programs = f->programs };
	f->def = (struct step_def){ .id = (char *)"build", .name = (char *)"Build" };
	f->attempt = (struct attempt){ .services = &f->services,
				       .run_id = "demo-1",
				       .number = 7,
				       .attempt = 2,
				       .def = &f->def,
				       .idempotency_key = "key-1",
				       .project_path = "/tmp" };
	f->deadline = timer_new(f->loop, fixture_late, f);
	f->folder = open("/tmp", O_PATH | O_DIRECTORY | O_CLOEXEC);
}

static inline void
fixture_clear(struct fixture *f)
{
	buf_fini(&f->out);
	buf_fini(&f->errors);
	buf_fini(&f->channel);
	f->done = false;
}

static inline void
fixture_fini(struct fixture *f)
{
	fixture_clear(f);
	program_free(&f->program);
	programs_free(&f->programs);
	timer_free(&f->deadline);
	loop_free(&f->loop);
	close(f->folder);
}

static inline void
fixture_on_end(void *context, const struct program_end *end)
{
	struct fixture *f = context;

	if (f->done)
		abort(); /* exactly once */
	f->done = true;
	f->started = end->started;
	f->stopped = end->stopped;
	f->final = end->final;
	f->exit_status = end->exit_status;
	f->signal = end->signal;
	f->channel_cut = end->channel_cut;
	snprintf(f->code, sizeof f->code, "%s", end->code != NULL ? end->code : "");
	snprintf(f->why, sizeof f->why, "%s", end->why);
	f->cut = output_text(end->out, &f->out);
	output_text(end->errors, &f->errors);
	buf_add(&f->channel, buf_text(end->channel), end->channel->len);
	f->total = end->out->total;
	loop_stop(f->loop);
}

static inline void
fixture_start(struct fixture *f, const struct program_spec *spec)
{
	struct err err = { 0 };
	struct program_spec here = *spec;

	fixture_clear(f);
	here.folder = f->folder;
	if (f->program == NULL)
		f->program = program_new(&f->attempt, &err);
	if (f->program == NULL ||
	    program_start(f->program, &here, fixture_on_end, f, &err) < 0) {
		fprintf(stderr, "%s\n", err.text);
		abort();
	}
}

/* Turns the loop until the program has ended, and lets go of it. */
static inline void
fixture_wait(struct fixture *f)
{
	timer_set(f->deadline, DEADLINE);
	if (!f->done)
		loop_run(f->loop);
	timer_stop(f->deadline);
	program_free(&f->program);
}

static inline void
fixture_stop_loop(void *context)
{
	loop_stop(((struct fixture *)context)->loop);
}

static inline void
fixture_turn(struct fixture *f, usec_t time)
{
	struct timer *timer = timer_new(f->loop, fixture_stop_loop, f);

	timer_set(timer, time);
	loop_run(f->loop);
	timer_free(&timer);
}

/* Until the program printed something that holds this text. */
static inline void
fixture_wait_for_file(struct fixture *f, const char *path)
{
	for (int i = 0; i < 1000 && access(path, F_OK) < 0; i++)
		fixture_turn(f, 10 * USEC_MS);
	if (access(path, F_OK) < 0)
		abort();
}

static inline void
fixture_shell(struct fixture *f, const char *script)
{
	const char *const argv[] = { "/bin/sh", "-c", script, NULL };
	struct program_spec spec = { .argv = argv };

	fixture_start(f, &spec);
}

static inline void
fixture_run(struct fixture *f, const char *script)
{
	fixture_shell(f, script);
	fixture_wait(f);
}

/* How many processes have this text in their command line. */
static inline int
fixture_count(const char *marker)
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;
	int count = 0;

	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		char path[300], text[8192];
		ssize_t len = -1;
		int fd;

		if (atoi(entry->d_name) <= 0 || atoi(entry->d_name) == getpid())
			continue;
		snprintf(path, sizeof path, "/proc/%s/cmdline", entry->d_name);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd >= 0) {
			len = read(fd, text, sizeof text);
			close(fd);
		}
		if (len > 0 &&
		    memmem(text, (size_t)len, marker, strlen(marker)) != NULL)
			count++;
	}
	if (dir != NULL)
		closedir(dir);
	return count;
}

static inline double
fixture_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

#endif
