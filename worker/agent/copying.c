/* Copying. See copying.h. */
#include "agent/copying.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/xalloc.h"

#define PIECE         (128 * 1024)
#define PIECES_A_TURN 8

struct copying {
	struct timer *timer;
	int from;
	struct new_file to;
	struct sha256 *hash;
	struct copied copied;
	int64_t most;
	char *piece;
	copied_fn *done;
	void *context;
};

void
copying_free(struct copying **copying_p)
{
	struct copying *copying = *copying_p;
	unsigned char unused[SHA256_BYTES];

	*copying_p = NULL;
	if (copying == NULL)
		return;
	timer_free(&copying->timer);
	close(copying->from);
	new_file_fini(&copying->to);
	if (copying->hash != NULL)
		sha256_end(&copying->hash, unused);
	free(copying->piece);
	free(copying);
}

/* How many bytes: 0 at the end, -1 with err. */
static ssize_t
copy_piece(struct copying *copying, struct err *err)
{
	ssize_t got = read(copying->from, copying->piece, PIECE);

	if (got < 0)
		return err_errno(err, "reading");
	copying->copied.size += got;
	if (copying->copied.size > copying->most)
		return err_set(err, ERR_LIMIT, "the file is larger than %lld bytes",
			       (long long)copying->most);
	sha256_add(copying->hash, copying->piece, (size_t)got);
	if (new_file_write(&copying->to, copying->piece, (size_t)got, err) < 0)
		return -1;
	return got;
}

static void
on_turn(void *context)
{
	struct copying *copying = context;
	unsigned char sum[SHA256_BYTES];
	struct err err = { 0 };
	ssize_t got = 1;

	for (int i = 0; i < PIECES_A_TURN && got > 0; i++)
		got = copy_piece(copying, &err);
	if (got > 0) {
		timer_set(copying->timer, 0);
		return;
	}
	if (got == 0) {
		sha256_end(&copying->hash, sum);
		digest_hex(sum, sizeof sum, copying->copied.sha256);
		got = new_file_commit(&copying->to, &err);
	}
	copying->done(copying->context, got == 0 ? &copying->copied : NULL, &err);
}

struct copying *
copying_new(struct loop *loop, int from, struct new_file *to, int64_t most,
	    copied_fn *done, void *context)
{
	struct copying *copying = xcalloc(1, sizeof *copying);

	copying->timer = timer_new(loop, on_turn, copying);
	copying->from = from;
	copying->to = *to;
	*to = (struct new_file){ .fd = -1, .folder = -1 };
	copying->hash = sha256_new();
	copying->most = most;
	copying->piece = xmalloc(PIECE);
	copying->done = done;
	copying->context = context;
	timer_set(copying->timer, 0);
	return copying;
}
