/*
 * The life of one child program, seen from the worker: pipes, start, stop, end. What
 * has to happen inside the new process is stepmill-init's; the fork itself is
 * spawn.c's.
 */
#include "program.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "base/xalloc.h"
#include "channel/talk_back.h"
#include "program_env.h"
#include "program_priv.h"
#include "program_why.h"
#include "step_log.h"

#define READ_BYTES    (64 * 1024)
#define READS_A_TURN  4  /* then others get their turn */
#define DRAIN_READS   32 /* what a pipe can hold when its writers are gone */
#define INIT_PATIENCE (700 * USEC_MS) /* for init to end the tree */
#define ORPHANS_AGAIN (10 * USEC_MS)
#define ANSWERS_AGAIN (2 * USEC_MS)
#define ANSWERS_WAIT  (5 * USEC_SECOND) /* for what it asked before it ended */
#define WORDS_MAX     16
#define SECRET_LONG   8

struct program *
program_new_shared(struct programs *programs, struct err *err)
{
	struct program *program = xcalloc(1, sizeof *program);

	program->programs = programs;
	program->control = -1;
	program->child.pidfd = -1;
	list_init(&program->link);
	for (int i = 0; i < PIPES; i++)
		program->pipes[i] =
		    (struct program_pipe){ .fd = -1, .program = program, .which = i };
	program->folder = programs_folder_new(programs, err);
	if (program->folder == NULL)
		program_free(&program);
	return program;
}

struct program *
program_new(const struct attempt *attempt, struct err *err)
{
	struct program *program = program_new_shared(attempt->services->programs, err);

	if (program != NULL)
		program->attempt = attempt;
	return program;
}

const char *
program_folder(const struct program *program)
{
	return program->folder;
}

char *
program_put(struct program *program, const char *name, const void *data, size_t len,
	    struct err *err)
{
	const struct program_user *user = &program->programs->user;
	char *path = xprintf("%s/%s", program->folder, name);
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	bool done = fd >= 0;

	for (size_t at = 0; done && at < len;) {
		ssize_t wrote = write(fd, (const char *)data + at, len - at);

		done = wrote > 0;
		at += done ? (size_t)wrote : 0;
	}
	if (done && user->is_set)
		done = fchown(fd, user->uid, user->gid) == 0;
	if (!done) {
		err_errno(err, "cannot write %s", path);
		free(path);
		path = NULL;
	}
	if (fd >= 0)
		close(fd);
	return path;
}

/* ---- what it says ---- */

static void
close_pipe(struct program_pipe *pipe)
{
	watch_free(&pipe->watch);
	if (pipe->fd >= 0)
		close(pipe->fd);
	pipe->fd = -1;
}

static void
on_other(void *context, const char *text, size_t len)
{
	struct program *program = context;

	if (program->channel_out.len + len > program->out_max)
		program->channel_cut = true;
	else if (!program->channel_cut)
		buf_add(&program->channel_out, text, len);
}

static void
on_call(void *context, struct channel_call *call, const char *method,
	struct json *params)
{
	struct program *program = context;

	talk_back_call(program->talk_back, call, method, params);
}

static const struct channel_events talks_back = {
	.on_call = on_call,
	.on_other = on_other,
};

struct channel *
program_channel(struct program *program)
{
	return program->channel;
}

static void
take(struct program_pipe *pipe, const char *data, size_t len)
{
	struct program *program = pipe->program;

	if (pipe->which == PIPE_OUT && program->on_out != NULL) {
		if (program->done != NULL)
			program->on_out(program->context, data, len);
		return;
	}
	output_add(&program->outputs[pipe->which], data, len);
	if (pipe->which == PIPE_OUT && program->heard != NULL && program->done != NULL)
		program->heard(program->context, data, len);
	if (program->log[pipe->which] && program->attempt != NULL &&
	    program->attempt->log != NULL)
		step_log_stream(program->attempt->log, pipe->which + 1, data, len);
}

static void
tell_out_ended(struct program *program)
{
	if (program->on_out != NULL && program->done != NULL)
		program->on_out(program->context, "", 0);
}

static void
read_pipe(struct program_pipe *pipe, int reads)
{
	char data[READ_BYTES];
	ssize_t got;

	while (reads-- > 0) {
		got = read(pipe->fd, data, sizeof data);
		if (got > 0) {
			take(pipe, data, (size_t)got);
			continue;
		}
		if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
			close_pipe(pipe);
			if (pipe->which == PIPE_OUT)
				tell_out_ended(pipe->program);
		}
		return;
	}
}

static void
on_pipe(void *context, unsigned ready)
{
	(void)ready;
	read_pipe(context, READS_A_TURN);
}

/* ---- the start ---- */

/* Descriptors on their way to the new process; closed here afterwards. */
struct ends {
	int fds[SPAWN_FDS];
};

static void
ends_close(struct ends *ends)
{
	for (int i = 0; i < SPAWN_FDS; i++)
		if (ends->fds[i] >= 0 && i != INIT_FOLDER_FD)
			close(ends->fds[i]);
}

static int
open_channel(struct program *program, const struct program_spec *spec, int *end)
{
	const struct channel_events *events = spec->talk;
	void *context = spec->talk_context;
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		return -1;
	if (events == NULL) {
		program->talk_back = talk_back_new(program->attempt, program->folder);
		events = &talks_back;
		context = program;
	}
	program->channel =
	    channel_new(program->programs->loop, fds[0], events, context);
	*end = fds[1];
	return 0;
}

static int
open_pipe(struct program *program, int which, int *end)
{
	const struct program_user *user = &program->programs->user;
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0)
		return -1;
	program->pipes[which].fd = fds[0];
	*end = fds[1];
	fcntl(fds[0], F_SETFL, O_NONBLOCK);
	/* So that the program can open /dev/stderr by name. */
	return user->is_set ? fchown(fds[1], user->uid, user->gid) : 0;
}

/* A file in memory: the program reads it whenever it likes, nobody waits for that. */
static int
open_input(const struct program_spec *spec)
{
	char path[64];
	int fd, input;

	if (spec->input_fd > 0)
		return spec->input_fd;
	if (spec->input == NULL)
		return open("/dev/null", O_RDONLY | O_CLOEXEC);
	fd = memfd_create("stdin", MFD_CLOEXEC);
	if (fd < 0)
		return -1;
	for (size_t at = 0; at < spec->input_len;) {
		ssize_t wrote =
		    write(fd, (const char *)spec->input + at, spec->input_len - at);

		if (wrote < 0) {
			close(fd);
			return -1;
		}
		at += (size_t)wrote;
	}
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	input = open(path, O_RDONLY | O_CLOEXEC);
	close(fd);
	return input;
}

static int
open_ends(struct program *program, const struct program_spec *spec, struct ends *ends)
{
	int control[2];

	for (int i = 0; i < SPAWN_FDS; i++)
		ends->fds[i] = -1;
	ends->fds[INIT_FOLDER_FD] = spec->folder;
	ends->fds[0] = open_input(spec);
	if (ends->fds[0] < 0 || open_pipe(program, PIPE_OUT, &ends->fds[1]) < 0 ||
	    open_pipe(program, PIPE_ERRORS, &ends->fds[2]) < 0)
		return -1;
	if (spec->channel &&
	    open_channel(program, spec, &ends->fds[INIT_CHANNEL_FD]) < 0)
		return -1;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, control) < 0)
		return -1;
	program->control = control[0];
	ends->fds[INIT_CONTROL_FD] = control[1];
	return 0;
}

struct words {
	char *list[WORDS_MAX + 1];
	int count;
};

static void
add_limit(struct words *words, const char *name, long value)
{
	if (value > 0)
		words->list[words->count++] = xprintf("%s=%ld", name, value);
}

/* argv of stepmill-init, without the program's own. */
static void
make_words(struct program *program, const struct program_spec *spec,
	   struct words *words)
{
	const struct programs *programs = program->programs;
	const struct settings *settings = programs->settings;
	const struct program_user *user = &programs->user;
	char **list = words->list;

	list[words->count++] = xstrdup("stepmill-init");
	list[words->count++] = xprintf("mode=%s", isolation_mode(programs->isolation));
	if (program->cgroup != NULL)
		list[words->count++] = xprintf("cgroup=%s", program->cgroup);
	if (spec->channel)
		list[words->count++] = xstrdup("channel=1");
	if (user->is_set) {
		list[words->count++] = xprintf("user=%u:%u", user->uid, user->gid);
		list[words->count++] = xprintf("groups=%s", user->groups);
	}
	add_limit(words, "address_space", settings->worker_address_space_max);
	add_limit(words, "files", settings->worker_files_max);
	add_limit(words, "processes", settings->worker_processes_max);
	list[words->count++] = xstrdup("--");
}

/* Words and the program's argv as one list; the list is the caller's, its texts not. */
static char **
join_argv(const struct words *words, const char *const *argv)
{
	size_t count = 0, at = 0;
	char **all;

	while (argv[count] != NULL)
		count++;
	all = xcalloc((size_t)words->count + count + 1, sizeof *all);
	for (int i = 0; i < words->count; i++)
		all[at++] = words->list[i];
	for (size_t i = 0; i < count; i++)
		all[at++] = (char *)argv[i];
	return all;
}

/* Everybody on this machine may read the arguments of a process. A short secret may be
 * an ordinary word: then it is no reason to refuse one. What runs for no attempt has
 * the arguments of the configuration, which is the operator's. */
static int
check_words(const struct program *program, const char *const *argv, struct err *err)
{
	const struct mask *mask =
	    program->attempt != NULL ? program->attempt->services->mask : NULL;

	for (; mask != NULL && *argv != NULL; argv++)
		if (mask_finds_long(mask, *argv, strlen(*argv), SECRET_LONG))
			return err_set(err, ERR_INPUT,
				       "a secret would stand in the arguments of "
				       "\"%s\", where every process of this machine "
				       "could read it; hand it over by the environment "
				       "or by standard input",
				       program->name);
	return 0;
}

static int
spawn_init(struct program *program, const struct program_spec *spec,
	   const struct ends *ends, struct err *err)
{
	struct words words = { .count = 0 };
	struct spawn start = { .init = program->programs->init,
			       .isolation = program->programs->isolation };
	char **environment =
	    program_env_new(program->programs, program->attempt, program->folder,
			    spec->channel, spec->environment);
	char **argv;
	int result;

	make_words(program, spec, &words);
	argv = join_argv(&words, spec->argv);
	start.words = argv;
	start.environment = environment;
	memcpy(start.fds, ends->fds, sizeof start.fds);
	result = spawn(&start, &program->child, err);
	for (int i = 0; i < words.count; i++)
		free(words.list[i]);
	free(argv);
	program_env_free(&environment);
	return result;
}

static void on_end(void *context, unsigned ready);
static void on_patience(void *context);

static void
watch_it(struct program *program)
{
	struct loop *loop = program->programs->loop;

	program->end_watch =
	    watch_new(loop, program->child.pidfd, WATCH_READ, on_end, program);
	program->patience = timer_new(loop, on_patience, program);
	for (int i = 0; i < PIPES; i++)
		if (program->pipes[i].fd >= 0)
			program->pipes[i].watch =
			    watch_new(loop, program->pipes[i].fd, WATCH_READ, on_pipe,
				      &program->pipes[i]);
	list_push(&program->programs->running, &program->link);
}

int
program_start(struct program *program, const struct program_spec *spec,
	      program_done_fn *done, void *context, struct err *err)
{
	struct programs *programs = program->programs;
	struct ends ends;
	int result;

	program->out_max = spec->out_max > 0
			       ? spec->out_max
			       : (size_t)programs->settings->worker_output_max;
	output_init(&program->outputs[0], program->out_max);
	output_init(&program->outputs[1], program->out_max);
	program->log[0] = spec->log_out;
	program->log[1] = spec->log_err;
	program->on_out = spec->on_out;
	snprintf(program->name, sizeof program->name, "%s", spec->argv[0]);
	if (check_words(program, spec->argv, err) < 0)
		return -1;
	if (programs->isolation == ISOLATION_CGROUP)
		program->cgroup = xprintf("%s-%d-%lu", programs->cgroup, getpid(),
					  ++programs->counter);
	result = open_ends(program, spec, &ends);
	if (result < 0)
		err_set(err, ERR_RETRY, "cannot open what \"%s\" needs: %s",
			program->name, strerror(errno));
	else
		result = spawn_init(program, spec, &ends, err);
	ends_close(&ends);
	if (result < 0)
		return -1;
	program->done = done;
	program->heard = spec->heard;
	program->context = context;
	watch_it(program);
	return 0;
}

/* ---- the end ---- */

void
program_end_tree(struct program *program)
{
	const char order = INIT_FORCE;

	if (program->child.pid <= 0)
		return;
	if (program->programs->isolation <= ISOLATION_USER_NAMESPACE)
		kill(program->child.pid, SIGKILL); /* the kernel ends the rest */
	else
		send(program->control, &order, 1, MSG_NOSIGNAL | MSG_DONTWAIT);
	timer_set(program->patience, INIT_PATIENCE);
}

void
program_stop(struct program *program, enum stop how)
{
	const char order = INIT_ASK;

	program->stopped = true;
	if (program->child.pid <= 0)
		return;
	if (how == STOP_ASK)
		send(program->control, &order, 1, MSG_NOSIGNAL | MSG_DONTWAIT);
	else
		program_end_tree(program);
}

/* The watch goes before its descriptor: a process that is just being made holds a copy
 * of that, and the kernel would go on telling of it, under a number that another
 * program may have by then. Only the kernel's answer to wait tells that it has ended.
 */
bool
program_reap(struct program *program, bool wait)
{
	if (waitpid(program->child.pid, NULL, wait ? 0 : WNOHANG) == 0)
		return false;
	watch_free(&program->end_watch);
	program->told =
	    recv(program->control, &program->message, sizeof program->message,
		 MSG_DONTWAIT) == (ssize_t)sizeof program->message;
	close(program->child.pidfd);
	program->child = (struct child){ 0, -1 };
	return true;
}

void
program_destroy(struct program *program)
{
	list_remove(&program->link);
	watch_free(&program->end_watch);
	timer_free(&program->patience);
	for (int i = 0; i < PIPES; i++)
		close_pipe(&program->pipes[i]);
	if (program->control >= 0)
		close(program->control);
	output_fini(&program->outputs[0]);
	output_fini(&program->outputs[1]);
	talk_back_free(&program->talk_back);
	channel_free(&program->channel);
	buf_fini(&program->channel_out);
	programs_folder_drop(program->programs, &program->folder);
	if (program->cgroup != NULL)
		rmdir(program->cgroup); /* if init could not */
	free(program->cgroup);
	free(program);
}

static void
tell_end(struct program *program)
{
	struct program_end end = { .stopped = program->stopped,
				   .out = &program->outputs[0],
				   .errors = &program->outputs[1],
				   .channel = &program->channel_out,
				   .channel_cut = program->channel_cut };
	program_done_fn *done = program->done;

	for (int i = 0; i < PIPES; i++)
		if (program->pipes[i].fd >= 0) {
			read_pipe(&program->pipes[i], DRAIN_READS);
			close_pipe(&program->pipes[i]);
		}
	program_why(program->name, program->folder,
		    program->told ? &program->message : NULL, &end);
	list_remove(&program->link);
	program->done = NULL;
	done(program->context, &end);
}

/* What it asked for without waiting for the answer is done all the same, unless it was
 * stopped. */
static bool
has_its_answers(struct program *program)
{
	usec_t now = loop_mono(program->programs->loop);

	if (program->channel == NULL || program->done == NULL)
		return true;
	channel_drain(program->channel);
	if (program->settling_since == 0)
		program->settling_since = now;
	return program->talk_back == NULL || program->stopped ||
	       channel_is_idle(program->channel) ||
	       now - program->settling_since > ANSWERS_WAIT;
}

/* Everything of the tree is gone, or its init is and the rest is ours to end. */
static void
settle(struct program *program)
{
	bool by_namespace = program->programs->isolation <= ISOLATION_USER_NAMESPACE;

	if (!program->told && !by_namespace &&
	    !programs_end_orphans(program->programs)) {
		timer_set(program->patience, ORPHANS_AGAIN);
		return;
	}
	if (!has_its_answers(program)) {
		timer_set(program->patience, ANSWERS_AGAIN);
		return;
	}
	timer_stop(program->patience);
	if (program->done == NULL)
		program_destroy(program);
	else
		tell_end(program);
}

static void
on_end(void *context, unsigned ready)
{
	(void)ready;
	if (program_reap(context, false))
		settle(context);
}

/* Init did not manage in time: somebody stopped it, perhaps the program itself. */
static void
on_patience(void *context)
{
	struct program *program = context;

	if (program->child.pid > 0)
		kill(program->child.pid, SIGKILL);
	else
		settle(program);
}

void
program_free(struct program **program_p)
{
	struct program *program = *program_p;

	if (program == NULL)
		return;
	*program_p = NULL;
	talk_back_free(&program->talk_back);
	channel_free(&program->channel);
	program->attempt = NULL;
	if (list_empty(&program->link)) {
		program_destroy(program);
		return;
	}
	program->done = NULL;
	for (int i = 0; i < PIPES; i++)
		close_pipe(&program->pipes[i]);
	program_end_tree(program);
}
