/* A file that comes in pieces. See upload.h. */
#include "front/upload.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "files/files.h"
#include "files/path_core.h"
#include "loop/file_sync.h"

#define FILE_NAME_MOST 120 /* characters of the given name */

struct upload {
	struct loop *loop;
	struct uuid id;
	char *name, *path;
	struct new_file file;
	bool named, kept;
	struct sha256 *hash; /* NULL: all has come */
	char sha256[SHA256_TEXT];
	int64_t size;
	size_t unsynced;
	struct file_sync *sync;
	upload_fn *done;
	void *context;
};

static char *
path_of(const char *folder, const struct uuid *id, const char *name)
{
	struct buf path = { 0 };
	char text[UUID_TEXT];

	buf_printf(&path, "%s/%s-", folder, uuid_format(id, text));
	path_safe_part(name, FILE_NAME_MOST, &path);
	return buf_take(&path);
}

static int
open_file(struct upload *upload, const char *project, const char *folder,
	  struct err *err)
{
	int fd = files_make_folder(project, folder, FILES_RUN_MODE, err);

	if (fd < 0)
		return -1;
	close(fd);
	return new_file_open(&upload->file, project, upload->path, 0640, err);
}

struct upload *
upload_new(struct loop *loop, const char *project, const char *folder,
	   const struct uuid *id, const char *name, struct err *err)
{
	struct upload *upload = xcalloc(1, sizeof *upload);

	upload->loop = loop;
	upload->id = *id;
	upload->name = xstrdup(name);
	upload->path = path_of(folder, id, name);
	upload->hash = sha256_new();
	upload->file.fd = upload->file.folder = -1;
	if (open_file(upload, project, folder, err) < 0)
		upload_free(&upload);
	return upload;
}

static void
end_hash(struct upload *upload)
{
	unsigned char sum[SHA256_BYTES];

	if (upload->hash == NULL)
		return;
	sha256_end(&upload->hash, sum);
	digest_hex(sum, sizeof sum, upload->sha256);
}

void
upload_free(struct upload **upload_p)
{
	struct upload *upload = *upload_p;

	if (upload == NULL)
		return;
	*upload_p = NULL;
	file_sync_cancel(&upload->sync);
	if (upload->named && !upload->kept)
		unlinkat(upload->file.folder, upload->file.name, 0);
	new_file_fini(&upload->file);
	end_hash(upload);
	free(upload->name);
	free(upload->path);
	free(upload);
}

int
upload_write(struct upload *upload, const void *data, size_t len, struct err *err)
{
	if (new_file_write(&upload->file, data, len, err) < 0)
		return -1;
	sha256_add(upload->hash, data, len);
	upload->size += (int64_t)len;
	upload->unsynced += len;
	return 0;
}

bool
upload_is_full(const struct upload *upload)
{
	return upload->unsynced >= UPLOAD_UNSYNCED;
}

static void
tell(struct upload *upload, const struct err *err)
{
	upload_fn *done = upload->done;

	upload->done = NULL;
	done(upload->context, err);
}

/* True: it failed, and that was told. */
static bool
failed(struct upload *upload, int error)
{
	struct err err = { 0 };

	upload->sync = NULL;
	if (error == 0)
		return false;
	err_set(&err, ERR_SYSTEM, "\"%.300s\": %s", upload->path, strerror(error));
	tell(upload, &err);
	return true;
}

static void
on_settled(void *context, int error)
{
	struct upload *upload = context;
	struct err none = { 0 };

	if (failed(upload, error))
		return;
	upload->unsynced = 0;
	tell(upload, &none);
}

void
upload_settle(struct upload *upload, upload_fn *done, void *context)
{
	upload->done = done;
	upload->context = context;
	upload->sync = file_sync_new(upload->loop, upload->file.fd, on_settled, upload);
}

/* ---- the end ---- */

static void
on_named(void *context, int error)
{
	struct upload *upload = context;
	struct err none = { 0 };

	if (!failed(upload, error))
		tell(upload, &none);
}

/* The name is on the disk when its folder is. */
static void
on_written(void *context, int error)
{
	struct upload *upload = context;
	struct err err = { 0 };

	if (failed(upload, error))
		return;
	if (new_file_commit(&upload->file, &err) < 0) {
		tell(upload, &err);
		return;
	}
	upload->named = true;
	upload->sync =
	    file_sync_new(upload->loop, upload->file.folder, on_named, upload);
}

void
upload_finish(struct upload *upload, upload_fn *done, void *context)
{
	end_hash(upload);
	upload->done = done;
	upload->context = context;
	upload->sync = file_sync_new(upload->loop, upload->file.fd, on_written, upload);
}

void
upload_keep(struct upload *upload)
{
	upload->kept = true;
}

/* ---- what it is ---- */

const struct uuid *
upload_id(const struct upload *upload)
{
	return &upload->id;
}

const char *
upload_name(const struct upload *upload)
{
	return upload->name;
}

const char *
upload_path(const struct upload *upload)
{
	return upload->path;
}

int64_t
upload_size(const struct upload *upload)
{
	return upload->size;
}

const char *
upload_sha256(const struct upload *upload)
{
	return upload->sha256;
}
