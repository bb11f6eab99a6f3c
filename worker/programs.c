/*
 * The shared part of all child programs: isolation, user, folders, orphans. Everything
 * here happens at the start of a worker, at its end, or when something went wrong; the
 * life of one program is program.c's.
 */
#include "programs.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "descendants.h"
#include "program_priv.h"
#include "temp_folder.h"

#define GROUPS_MOST  256
#define LAST_WAIT_MS 2000
#define RUNNING_MAX  4096

/* ---- at the start ---- */

static char *
beside_this_program(void)
{
	char path[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", path, sizeof path - 1);
	char *slash;

	if (len < 0)
		return xstrdup("stepmill-init");
	path[len] = '\0';
	slash = strrchr(path, '/');
	if (slash != NULL)
		*slash = '\0';
	return xprintf("%s/stepmill-init", path);
}

static int
find_user(struct program_user *user, const char *name, struct err *err)
{
	struct passwd *entry;
	gid_t groups[GROUPS_MOST];
	int count = GROUPS_MOST;
	struct buf text = { 0 };

	if (name == NULL || name[0] == '\0')
		return 0;
	if (geteuid() != 0)
		return err_set(err, ERR_INPUT,
			       "worker.user: only a worker that runs as root can run "
			       "programs as another user");
	entry = getpwnam(name);
	if (entry == NULL)
		return err_set(err, ERR_INPUT, "worker.user: there is no user \"%s\"",
			       name);
	if (getgrouplist(name, entry->pw_gid, groups, &count) < 0)
		count = GROUPS_MOST; /* as many as fit */
	for (int i = 0; i < count; i++)
		buf_printf(&text, "%s%u", i > 0 ? "," : "", groups[i]);
	*user = (struct program_user){ true, entry->pw_uid, entry->pw_gid,
				       xstrdup(entry->pw_dir), buf_take(&text) };
	return 0;
}

static void
choose_isolation(struct programs *programs, enum isolation from)
{
	for (enum isolation way = from; way < ISOLATION_REAPER; way++) {
		/* There only one user exists. */
		if (way == ISOLATION_USER_NAMESPACE && programs->user.is_set)
			continue;
		if (isolation_works(way, programs->init, programs->cgroup)) {
			programs->isolation = way;
			return;
		}
	}
	programs->isolation = ISOLATION_REAPER;
}

struct programs *
programs_new(const struct programs_conf *conf, struct err *err)
{
	struct programs *programs = xcalloc(1, sizeof *programs);

	programs->loop = conf->loop;
	programs->settings = conf->settings;
	programs->environment = conf->environment;
	programs->folder_lock = -1;
	list_init(&programs->running);
	list_init(&programs->removers);
	programs->init =
	    conf->init != NULL ? xstrdup(conf->init) : beside_this_program();
	programs->cgroup = isolation_cgroup();
	if (access(programs->init, X_OK) < 0) {
		err_errno(err, "%s", programs->init);
		goto failed;
	}
	if (find_user(&programs->user, conf->settings->worker_user, err) < 0)
		goto failed;
	choose_isolation(programs, conf->isolation);
	if (programs->isolation >= ISOLATION_CGROUP &&
	    prctl(PR_SET_CHILD_SUBREAPER, 1) < 0) {
		err_errno(err, "cannot become a sub-reaper");
		goto failed;
	}
	programs->folder = temp_folder_new(&programs->folder_lock, err);
	if (programs->folder == NULL)
		goto failed;
	temp_folder_sweep(programs->folder, programs_remove_later, programs);
	log_info("programs.isolated", F_STR("by", isolation_name(programs->isolation)),
		 F_STR("folder", programs->folder));
	return programs;
failed:
	programs_free(&programs);
	return NULL;
}

/* ---- private folders ---- */

char *
programs_folder_new(struct programs *programs, struct err *err)
{
	char *path = xprintf("%s/%lu", programs->folder, ++programs->counter);

	if (mkdir(path, 0700) < 0 ||
	    (programs->user.is_set &&
	     chown(path, programs->user.uid, programs->user.gid) < 0)) {
		err_errno(err, "cannot make the folder %s", path);
		free(path);
		return NULL;
	}
	return path;
}

struct remover {
	struct list link; /* programs.removers */
	struct child child;
	struct watch *watch;
};

static void
remover_free(struct remover *remover)
{
	list_remove(&remover->link);
	watch_free(&remover->watch);
	waitpid(remover->child.pid, NULL, 0);
	close(remover->child.pidfd);
	free(remover);
}

static void
on_removed(void *context, unsigned ready)
{
	struct remover *remover = context;
	siginfo_t info = { 0 };

	(void)ready;
	if (waitid(P_PID, (id_t)remover->child.pid, &info,
		   WEXITED | WNOHANG | WNOWAIT) < 0 ||
	    info.si_pid != 0)
		remover_free(remover);
}

void
programs_remove_later(void *context, const char *path)
{
	struct programs *programs = context;
	struct remover *remover = xcalloc(1, sizeof *remover);
	char *word = xprintf("remove=%s", path);
	char *words[] = { (char *)"stepmill-init", word, NULL };
	char *environment[] = { NULL };
	struct spawn start = { .init = programs->init,
			       .isolation = ISOLATION_REAPER,
			       .words = words,
			       .environment = environment,
			       .fds = { -1, -1, 2, -1, -1, -1 } };
	struct err err = { 0 };

	if (spawn(&start, &remover->child, &err) < 0) {
		log_warn("folder.kept", F_STR("path", path), F_STR("why", err.text));
		free(remover);
	} else {
		remover->watch = watch_new(programs->loop, remover->child.pidfd,
					   WATCH_READ, on_removed, remover);
		list_push(&programs->removers, &remover->link);
	}
	free(word);
}

void
programs_folder_drop(struct programs *programs, char **folder_p)
{
	if (*folder_p == NULL)
		return;
	if (!temp_folder_remove_small(*folder_p))
		programs_remove_later(programs, *folder_p);
	free(*folder_p);
	*folder_p = NULL;
}

/* ---- what nobody watches over any more ---- */

static void
end_orphan(void *context, pid_t pid, bool child)
{
	(void)context;
	kill(pid, SIGKILL);
	if (child)
		waitpid(pid, NULL, WNOHANG);
}

bool
programs_end_orphans(struct programs *programs)
{
	pid_t spared[RUNNING_MAX];
	size_t count = 0;

	list_each (it, &programs->running) {
		struct program *program = container_of(it, struct program, link);

		if (program->child.pid > 0 && count < RUNNING_MAX)
			spared[count++] = program->child.pid;
	}
	list_each (it, &programs->removers) {
		struct remover *remover = container_of(it, struct remover, link);

		if (count < RUNNING_MAX)
			spared[count++] = remover->child.pid;
	}
	return descendants_each(getpid(), spared, count, end_orphan, NULL) == 0;
}

/* ---- at the end ---- */

static void
wait_for_end(struct program *program, struct programs *programs)
{
	struct pollfd fd = { .fd = program->child.pidfd, .events = POLLIN };

	if (poll(&fd, 1, LAST_WAIT_MS) != 1)
		kill(program->child.pid, SIGKILL);
	program_reap(program, true);
	while (programs->isolation >= ISOLATION_CGROUP &&
	       !programs_end_orphans(programs))
		poll(NULL, 0, 1);
	program_destroy(program);
}

void
programs_free(struct programs **programs_p)
{
	struct programs *programs = *programs_p;

	if (programs == NULL)
		return;
	*programs_p = NULL;
	list_each (it, &programs->running)
		program_end_tree(container_of(it, struct program, link));
	while (!list_empty(&programs->running))
		wait_for_end(container_of(programs->running.next, struct program, link),
			     programs);
	while (!list_empty(&programs->removers))
		remover_free(
		    container_of(programs->removers.next, struct remover, link));
	temp_folder_free(&programs->folder, &programs->folder_lock);
	free(programs->user.home);
	free(programs->user.groups);
	free(programs->cgroup);
	free(programs->init);
	free(programs);
}
