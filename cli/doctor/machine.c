/* This host: what child programs can be shut in by, disk, descriptors, the project. */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "doctor/doctor.h"

#define MIB             (1024ULL * 1024)
#define DISK_FAIL       (100 * MIB)
#define DISK_WARN       (1024 * MIB)
#define DESCRIPTORS_MIN 4096

/* ---- isolation ---- */

/* Tried in a child, since it cannot be taken back. */
static bool
can_unshare(int flags)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		if (unshare(flags) < 0)
			_exit(EXIT_FAILURE);
		/* the first process of the namespace must really start */
		pid = fork();
		if (pid == 0)
			_exit(getpid() == 1 ? EXIT_SUCCESS : EXIT_FAILURE);
		if (pid < 0 || waitpid(pid, &status, 0) != pid)
			_exit(EXIT_FAILURE);
		_exit(WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILURE);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return false;
	return WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS;
}

void
doctor_isolation(struct doctor *doctor)
{
	if (can_unshare(CLONE_NEWPID | CLONE_NEWNS))
		doctor_add(doctor, "isolation", FINDING_OK, NULL,
			   "each child program in a PID namespace of its own");
	else if (can_unshare(CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS))
		doctor_add(doctor, "isolation", FINDING_OK, NULL,
			   "each child program in a PID namespace of its own, in a "
			   "user namespace");
	else
		doctor_add(doctor, "isolation", FINDING_WARN,
			   "allow user namespaces (sysctl "
			   "kernel.unprivileged_userns_clone=1) or let workers keep "
			   "CAP_SYS_ADMIN",
			   "no PID namespaces here: workers walk the tree of a child "
			   "program to end it");
}

/* ---- disk, descriptors, project ---- */

static void
check_disk(struct doctor *doctor, const char *check, const char *path)
{
	struct statvfs disk;
	unsigned long long bytes;
	enum finding finding = FINDING_OK;

	if (statvfs(path, &disk) < 0) {
		doctor_add(doctor, check, FINDING_FAIL, "make the folder", "%s: %s",
			   path, strerror(errno));
		return;
	}
	bytes = (unsigned long long)disk.f_bavail * disk.f_frsize;
	if (bytes < DISK_FAIL || (disk.f_files > 0 && disk.f_favail < 1000))
		finding = FINDING_FAIL;
	else if (bytes < DISK_WARN)
		finding = FINDING_WARN;
	doctor_add(doctor, check, finding, finding != FINDING_OK ? "make room" : NULL,
		   "%llu MiB free at %s", bytes / MIB, path);
}

static void
check_descriptors(struct doctor *doctor)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	if (limit.rlim_cur >= DESCRIPTORS_MIN)
		doctor_add(doctor, "descriptors", FINDING_OK, NULL,
			   "%llu open files allowed",
			   (unsigned long long)limit.rlim_cur);
	else
		doctor_add(doctor, "descriptors", FINDING_WARN,
			   "ulimit -n 65536, or LimitNOFILE= of the service",
			   "only %llu open files allowed: connections are refused at "
			   "the limit",
			   (unsigned long long)limit.rlim_cur);
}

static void
check_project(struct doctor *doctor, const char *path)
{
	if (access(path, W_OK | X_OK) == 0)
		doctor_add(doctor, "project", FINDING_OK, NULL, "%s can be written",
			   path);
	else
		doctor_add(doctor, "project", FINDING_FAIL,
			   "set project.path, or give this user the right to write",
			   "%s: %s", path, strerror(errno));
}

void
doctor_machine(struct doctor *doctor)
{
	const char *path = doctor->install->settings->project_path;
	char *project = realpath(path, NULL);

	check_project(doctor, project != NULL ? project : path);
	check_disk(doctor, "disk", project != NULL ? project : path);
	if (doctor->install->dev != NULL)
		check_disk(doctor, "data",
			   json_str(json_get(doctor->install->dev, "data")));
	check_descriptors(doctor);
	free(project);
}
