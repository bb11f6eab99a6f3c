/* Folders, programs and the user of the private servers. See place.h. */
#include "dev/place.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "dev/state.h"
#include "digest/digest.h"

#define SOCKET_FOLDER_MAX                                                              \
	80 /* a socket's name has 107 bytes; PostgreSQL adds to it                     \
	    */

static int
make_folder(const char *path, mode_t mode, struct err *err)
{
	if (mkdir(path, mode) == 0 || errno == EEXIST)
		return 0;
	return err_errno(err, "cannot make the folder %s", path);
}

/* May somebody who is nobody special walk down to here? */
static bool
reachable(const char *path)
{
	char part[PATH_MAX];
	struct stat st;

	for (const char *slash = path; slash != NULL; slash = strchr(slash + 1, '/')) {
		snprintf(part, sizeof part, "%.*s", (int)(slash - path) + 1, path);
		if (stat(part, &st) < 0 || (st.st_mode & S_IXOTH) == 0)
			return false;
	}
	return true;
}

static int
find_user(struct place *place, struct err *err)
{
	const struct passwd *user;

	if (geteuid() != 0)
		return 0;
	user = getpwnam("postgres");
	if (user == NULL)
		user = getpwnam("nobody");
	if (user == NULL)
		return err_set(
		    err, ERR_SYSTEM,
		    "PostgreSQL does not run as root, and there is neither a user "
		    "postgres nor nobody; run as another user");
	place->as_other = true;
	place->uid = user->pw_uid;
	place->gid = user->pw_gid;
	return 0;
}

static char *
short_name(const struct place *place, const char *folder)
{
	char hash[SHA256_TEXT];

	sha256_text(place->data, strlen(place->data), hash);
	hash[12] = '\0';
	return xprintf("%s/stepmill-%s", folder, hash);
}

/* A folder that only the servers' user can enter. Who else can write beside it may have
 * put something there first: then it is refused. */
static int
make_private(const struct place *place, const char *path, struct err *err)
{
	uid_t owner = place->as_other ? place->uid : geteuid();
	struct stat st;

	if (make_folder(path, 0700, err) < 0)
		return -1;
	if (lstat(path, &st) < 0)
		return err_errno(err, "%s", path);
	if (!S_ISDIR(st.st_mode) || (st.st_mode & 077) != 0)
		return err_set(err, ERR_DENIED, "%s is not a folder of ours alone",
			       path);
	/* root's own: made just now, or by one that was killed right here */
	if (place->as_other && st.st_uid == geteuid()) {
		if (lchown(path, place->uid, place->gid) < 0)
			return err_errno(err, "cannot give %s to the servers' user",
					 path);
		return 0;
	}
	if (st.st_uid != owner)
		return err_set(err, ERR_DENIED,
			       "%s belongs to another user (%d): run stepmill dev as "
			       "that user, or choose another folder by --data",
			       path, (int)st.st_uid);
	return 0;
}

static int
make_servers_folder(struct place *place, struct err *err)
{
	char *link;

	if (!place->as_other || reachable(place->data)) {
		place->servers = xprintf("%s/servers", place->data);
		return make_private(place, place->servers, err);
	}
	if (make_folder("/var/lib/stepmill", 0755, err) < 0)
		return -1;
	place->servers = short_name(place, "/var/lib/stepmill");
	if (make_private(place, place->servers, err) < 0)
		return -1;
	link = xprintf("%s/servers", place->data);
	if (symlink(place->servers, link) < 0 && errno != EEXIST)
		err_errno(err, "cannot make the link %s", link);
	free(link);
	return err->kind == ERR_NONE ? 0 : -1;
}

/* Its path stands in URLs and in PostgreSQL's list of folders as it is. */
static int
make_sockets_folder(struct place *place, struct err *err)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-";

	place->sockets = xprintf("%s/run", place->servers);
	if (strlen(place->sockets) > SOCKET_FOLDER_MAX ||
	    place->sockets[strspn(place->sockets, plain)] != '\0') {
		free(place->sockets);
		place->sockets = short_name(place, "/tmp");
	}
	return make_private(place, place->sockets, err);
}

static int
find_postgres(struct place *place, struct err *err)
{
	glob_t found = { 0 };

	/* sorted by name: the last is the newest of 10 to 99 */
	if (glob("/usr/lib/postgresql/[0-9][0-9]/bin/initdb", 0, NULL, &found) == 0) {
		place->postgres_bin = xstrdup(found.gl_pathv[found.gl_pathc - 1]);
		*strrchr(place->postgres_bin, '/') = '\0';
	}
	globfree(&found);
	if (place->postgres_bin == NULL && access("/usr/local/bin/initdb", X_OK) == 0)
		place->postgres_bin = xstrdup("/usr/local/bin");
	if (place->postgres_bin == NULL)
		return err_set(err, ERR_NOT_FOUND,
			       "PostgreSQL's server is not installed; on Debian: "
			       "apt-get install postgresql");
	return 0;
}

static int
find_redis(struct place *place, struct err *err)
{
	static const char *const paths[] = { "/usr/bin/redis-server",
					     "/usr/local/bin/redis-server" };

	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
		if (place->redis_server == NULL && access(paths[i], X_OK) == 0)
			place->redis_server = xstrdup(paths[i]);
	if (place->redis_server == NULL)
		return err_set(err, ERR_NOT_FOUND,
			       "Redis' server is not installed; on Debian: "
			       "apt-get install redis-server");
	return 0;
}

static int
find_own_programs(struct place *place, struct err *err)
{
	char path[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", path, sizeof path - 1);

	if (len < 0)
		return err_errno(err, "/proc/self/exe");
	path[len] = '\0';
	*strrchr(path, '/') = '\0';
	place->programs = xstrdup(path);
	return 0;
}

char *
place_data(const char *project, const char *data)
{
	char *base = realpath(data != NULL || project == NULL ? "." : project, NULL);
	char *whole, *real;

	if (base == NULL || (data != NULL && data[0] == '/'))
		whole = xstrdup(data != NULL ? data : project);
	else
		whole = xprintf("%s/%s", base, data != NULL ? data : ".stepmill");
	real = realpath(whole, NULL); /* one name, whichever way one came */
	free(base);
	if (real == NULL)
		return whole;
	free(whole);
	return real;
}

/* Nothing of what is made here shall be committed by accident. */
static int
write_gitignore(const struct place *place, struct err *err)
{
	char *path = xprintf("%s/.gitignore", place->data);
	int result = state_replace_file(path, "*\n", err);

	free(path);
	return result;
}

static int
make_data_folder(struct place *place, const char *data, struct err *err)
{
	char *path = place_data(place->project, data);
	bool made = mkdir(path, 0755) == 0;
	int result = made ? 0 : make_folder(path, 0755, err);

	free(path);
	if (result < 0)
		return -1;
	place->data = place_data(place->project, data);
	place->logs = xprintf("%s/log", place->data);
	if (make_folder(place->logs, 0755, err) < 0)
		return -1;
	return made ? write_gitignore(place, err) : 0;
}

int
place_find(struct place *place, const char *project, const char *data, struct err *err)
{
	*place = (struct place){ .lock = -1 };
	place->project = realpath(project != NULL ? project : ".", NULL);
	if (place->project == NULL)
		return err_errno(err, "the project's folder %s",
				 project ? project : ".");
	if (find_user(place, err) < 0 || find_own_programs(place, err) < 0 ||
	    find_postgres(place, err) < 0 || find_redis(place, err) < 0 ||
	    make_data_folder(place, data, err) < 0 ||
	    make_servers_folder(place, err) < 0)
		return -1;
	return make_sockets_folder(place, err);
}

int
place_lock(struct place *place, struct err *err)
{
	char *path = xprintf("%s/dev.lock", place->data);

	place->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (place->lock < 0)
		err_errno(err, "%s", path);
	else if (flock(place->lock, LOCK_EX | LOCK_NB) < 0)
		err_set(err, ERR_CONFLICT, "stepmill dev is already running here");
	free(path);
	return err->kind == ERR_NONE ? 0 : -1;
}

char *
place_database_url(const struct place *place)
{
	return xprintf("host=%s port=5432 user=stepmill dbname=stepmill",
		       place->sockets);
}

char *
place_redis_url(const struct place *place)
{
	return xprintf("unix:%s/redis.sock", place->sockets);
}

void
place_leave(const struct place *place)
{
	if (strncmp(place->sockets, place->servers, strlen(place->servers)) != 0)
		rmdir(place->sockets); /* only if it is empty */
}

void
place_fini(struct place *place)
{
	free(place->project);
	free(place->data);
	free(place->servers);
	free(place->sockets);
	free(place->logs);
	free(place->programs);
	free(place->postgres_bin);
	free(place->redis_server);
	if (place->lock >= 0)
		close(place->lock);
	*place = (struct place){ .lock = -1 };
}
