/*
 * A file on its way from a client to a run's folder: written under a passing name and
 * hashed as it comes, brought to the disk, then given its name. Until upload_keep it is
 * removed with the upload. What the client sends faster than the disk takes it waits
 * with the client: at most UPLOAD_UNSYNCED bytes are not on the disk yet.
 */
#ifndef FRONT_UPLOAD_H
#define FRONT_UPLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/uuid7.h"
#include "digest/digest.h"
#include "loop/loop.h"

#define UPLOAD_UNSYNCED (8 * 1024 * 1024)

struct upload;

/* Called once, on a later turn; err ERR_NONE: go on. */
typedef void upload_fn(void *context, const struct err *err);

/* The file is FOLDER/ID-NAME, where name may be any text; what of it is not harmless in
 * a file's name is replaced. NULL with err as files.h says. */
struct upload *upload_new(struct loop *loop, const char *project, const char *folder,
			  const struct uuid *id, const char *name, struct err *err);
/* Removes the file, unless it was kept. */
void upload_free(struct upload **upload_p);

/* -1: it could not be written. */
int upload_write(struct upload *upload, const void *data, size_t len, struct err *err);
/* Whether so much is not on the disk yet that upload_settle should come first. */
bool upload_is_full(const struct upload *upload);
void upload_settle(struct upload *upload, upload_fn *done, void *context);
/* All has come: to the disk, and under its name. */
void upload_finish(struct upload *upload, upload_fn *done, void *context);
void upload_keep(struct upload *upload);

const struct uuid *upload_id(const struct upload *upload);
const char *upload_name(const struct upload *upload); /* as it was given */
const char *upload_path(const struct upload *upload); /* relative to the project */
int64_t upload_size(const struct upload *upload);
const char *upload_sha256(const struct upload *upload); /* after upload_finish */

#endif
