/*
 * stepmill-init: the first process of an attempt. It starts the program, passes on what
 * the worker asks, and ends only when nothing of the program's tree is left: as process
 * 1 of a PID namespace (the kernel then ends the rest), with a control group, or as
 * sub-reaper that walks the tree. When the worker is gone, so is everything here.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "init/parts.h"

#define PASS_MS 10 /* between two looks at what is left */

/* The control socket: what the worker wants, or that it is gone. */
static char
read_order(void)
{
	char order;
	ssize_t got = recv(INIT_CONTROL_FD, &order, 1, MSG_DONTWAIT);

	if (got == 1)
		return order;
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	return INIT_FORCE;
}

static void
say(enum init_news news, enum init_stage stage, int value)
{
	struct init_message message = { news, stage, value };

	send(INIT_CONTROL_FD, &message, sizeof message, MSG_NOSIGNAL);
}

/* Reaps what ended; true when no child is left. Notes the program's own status. */
static bool
reap(pid_t program, int *status, bool *ended)
{
	int one;
	pid_t pid;

	while ((pid = waitpid(-1, &one, WNOHANG)) > 0) {
		if (pid != program)
			continue;
		*status = one;
		*ended = true;
	}
	return pid < 0 && errno == ECHILD;
}

/* Until the program has ended, or everything is to end. */
static void
serve(const struct words *words, int signals, pid_t program, int *status, bool *ended)
{
	struct pollfd fds[] = { { .fd = INIT_CONTROL_FD, .events = POLLIN },
				{ .fd = signals, .events = POLLIN } };

	for (;;) {
		char order, junk[1024];

		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			return;
		while (read(signals, junk, sizeof junk) > 0)
			;
		reap(program, status, ended);
		if (*ended)
			return;
		order = read_order();
		if (order == INIT_FORCE)
			return;
		if (order == INIT_ASK)
			tree_signal(words, SIGTERM);
	}
}

/* Ends what is left. In a namespace the kernel does it when we end. */
static void
end_tree(const struct words *words, int signals, pid_t program, int *status,
	 bool *ended)
{
	struct pollfd fd = { .fd = signals, .events = POLLIN };
	char junk[1024];

	if (words->mode == MODE_NAMESPACE)
		return;
	while (!reap(program, status, ended)) {
		tree_signal(words, SIGKILL);
		poll(&fd, 1, PASS_MS);
		while (read(signals, junk, sizeof junk) > 0)
			;
	}
	tree_close(words);
}

static int
run(struct words *words, char **argv)
{
	struct start_failure failure = { 0 };
	int signals, status = 0;
	bool ended = false;
	pid_t program;

	setsid();
	if (words->mode == MODE_NAMESPACE)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	signals = start_signals();
	if (signals < 0 || tree_open(words) < 0) {
		say(INIT_NOT_STARTED, INIT_AT_INIT, errno);
		return EXIT_FAILURE;
	}
	program = start_program(words, argv, &failure);
	if (program > 0) {
		serve(words, signals, program, &status, &ended);
		end_tree(words, signals, program, &status, &ended);
		say(INIT_ENDED, 0, ended ? status : SIGKILL);
	} else {
		end_tree(words, signals, 0, &status, &ended);
		say(INIT_NOT_STARTED, failure.stage, failure.error);
	}
	return EXIT_SUCCESS;
}

int
main(int argc, char **argv)
{
	struct words words;
	char **program = words_read(&words, argc, argv);

	if (words.remove != NULL)
		return folder_remove(words.remove) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
	if (words.probe)
		return tree_probe(&words) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
	if (program == NULL || program[0] == NULL) {
		fputs("stepmill-init: started by stepmill-worker only\n", stderr);
		return EXIT_FAILURE;
	}
	return run(&words, program);
}
