/*
 * CPU time of processes from /proc. The time of a child that has ended moves to its
 * parent, so a tree loses nothing.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "bench/bench.h"

#define PROCESSES_MAX 32768

static const struct {
	const char *name;
	const char *pid; /* its member in dev.json; NULL: found otherwise */
} consumers[CONSUMERS] = {
	[CONSUMER_CLIENT] = { "client", NULL },
	[CONSUMER_SUPERVISOR] = { "supervisor", "supervisorPid" },
	[CONSUMER_FRONT] = { "front", NULL },
	[CONSUMER_WORKERS] = { "workers", NULL },
	[CONSUMER_SCHEDULER] = { "scheduler", "schedulerPid" },
	[CONSUMER_POSTGRES] = { "postgres", "postgresPid" },
	[CONSUMER_REDIS] = { "redis", "redisPid" },
};

struct seen {
	pid_t pid, parent;
	enum consumer consumer; /* CONSUMERS: none of ours */
	bool is_worker;
	int64_t used;
};

const char *
bench_consumer_name(enum consumer consumer)
{
	return consumers[consumer].name;
}

/* "PID (NAME) STATE PARENT ..."; a name may hold anything, ")" too. */
static bool
read_process(pid_t pid, struct seen *seen)
{
	char path[64], text[1024], name[64] = "";
	unsigned long long user = 0, system = 0, of_children[2] = { 0 };
	int fd, parent = 0;
	const char *end;
	ssize_t len;

	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	len = read(fd, text, sizeof text - 1);
	close(fd);
	text[len > 0 ? len : 0] = '\0';
	end = strrchr(text, ')');
	if (end == NULL || sscanf(text, "%*d (%63[^)]", name) != 1 ||
	    sscanf(end + 1,
		   " %*c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu %llu %llu",
		   &parent, &user, &system, &of_children[0], &of_children[1]) != 5)
		return false;
	*seen = (struct seen){ .pid = pid,
			       .parent = parent,
			       .consumer = CONSUMERS,
			       .is_worker = strcmp(name, "stepmill-worker") == 0 };
	seen->used = (int64_t)(user + system + of_children[0] + of_children[1]) *
		     (1000000 / sysconf(_SC_CLK_TCK));
	return true;
}

static size_t
read_processes(struct seen *list, size_t most)
{
	DIR *dir = opendir("/proc");
	const struct dirent *entry;
	size_t count = 0;

	while (dir != NULL && count < most && (entry = readdir(dir)) != NULL) {
		pid_t pid = (pid_t)atoi(entry->d_name);

		if (pid > 0 && read_process(pid, &list[count]))
			count++;
	}
	if (dir != NULL)
		closedir(dir);
	return count;
}

static const struct seen *
find(const struct seen *list, size_t count, pid_t pid)
{
	for (size_t i = 0; i < count; i++)
		if (list[i].pid == pid)
			return &list[i];
	return NULL;
}

static enum consumer
consumer_of(const struct json *dev, const struct seen *list, size_t count,
	    const struct seen *process)
{
	int depth = 0;

	for (const struct seen *it = process; it != NULL && depth < 16;
	     it = find(list, count, it->parent), depth++) {
		for (enum consumer i = 0; i < CONSUMERS; i++) {
			if (consumers[i].pid == NULL ||
			    json_int(json_get(dev, consumers[i].pid)) != it->pid)
				continue;
			if (i != CONSUMER_SUPERVISOR || depth == 0)
				return i;
			/* below the supervisor: workers with their programs, or the
			 * front */
			for (it = process; depth > 1; depth--)
				it = find(list, count, it->parent);
			return it->is_worker ? CONSUMER_WORKERS : CONSUMER_FRONT;
		}
	}
	return CONSUMERS;
}

static void
add(struct cpu *cpu, enum consumer consumer, int64_t used)
{
	if (consumer == CONSUMERS)
		return;
	if (cpu->used[consumer] < 0)
		cpu->used[consumer] = 0;
	cpu->used[consumer] += used;
}

void
bench_cpu(const struct json *dev, struct cpu *cpu)
{
	struct seen *list = malloc(PROCESSES_MAX * sizeof *list);
	size_t count =
	    dev != NULL && list != NULL ? read_processes(list, PROCESSES_MAX) : 0;
	struct rusage own;

	for (enum consumer i = 0; i < CONSUMERS; i++)
		cpu->used[i] = -1;
	for (size_t i = 0; i < count; i++)
		add(cpu, consumer_of(dev, list, count, &list[i]), list[i].used);
	getrusage(RUSAGE_SELF, &own);
	cpu->used[CONSUMER_CLIENT] =
	    (own.ru_utime.tv_sec + own.ru_stime.tv_sec) * USEC_SECOND +
	    own.ru_utime.tv_usec + own.ru_stime.tv_usec;
	free(list);
}
