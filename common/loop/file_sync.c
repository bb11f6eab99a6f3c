/*
 * fsync by aio_fsync. What the helper thread has begun cannot be taken back: who gives
 * up leaves the rest to the timer, which frees it when the disk is done.
 */
#include "loop/file_sync.h"

#include <aio.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/xalloc.h"

#define LOOK_FIRST (1 * USEC_MS)
#define LOOK_MAX   (20 * USEC_MS)

struct file_sync {
	struct aiocb request;
	int error; /* when it could not even be asked for */
	struct timer *timer;
	usec_t look;
	file_sync_fn *done; /* NULL: nobody waits */
	void *context;
};

static void
sync_free(struct file_sync *sync)
{
	timer_free(&sync->timer);
	if (sync->request.aio_fildes >= 0)
		close(sync->request.aio_fildes);
	free(sync);
}

static void
on_look(void *context)
{
	struct file_sync *sync = context;
	int error = sync->error != 0 ? sync->error : aio_error(&sync->request);
	file_sync_fn *done = sync->done;
	void *whose = sync->context;

	if (error == EINPROGRESS) {
		sync->look = sync->look * 2 < LOOK_MAX ? sync->look * 2 : LOOK_MAX;
		timer_set(sync->timer, sync->look);
		return;
	}
	if (sync->error == 0)
		(void)aio_return(&sync->request);
	sync_free(sync);
	if (done != NULL)
		done(whose, error);
}

struct file_sync *
file_sync_new(struct loop *loop, int fd, file_sync_fn *done, void *context)
{
	struct file_sync *sync = xcalloc(1, sizeof *sync);

	sync->request.aio_fildes = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	sync->request.aio_sigevent.sigev_notify = SIGEV_NONE;
	sync->done = done;
	sync->context = context;
	sync->look = LOOK_FIRST;
	sync->timer = timer_new(loop, on_look, sync);
	if (sync->request.aio_fildes < 0 || aio_fsync(O_SYNC, &sync->request) < 0)
		sync->error = errno;
	timer_set(sync->timer, sync->error != 0 ? 0 : LOOK_FIRST);
	return sync;
}

void
file_sync_cancel(struct file_sync **sync_p)
{
	struct file_sync *sync = *sync_p;

	if (sync == NULL)
		return;
	*sync_p = NULL;
	sync->done = NULL;
	if (sync->error == 0 && aio_error(&sync->request) == EINPROGRESS &&
	    aio_cancel(sync->request.aio_fildes, &sync->request) == AIO_NOTCANCELED)
		return;
	sync_free(sync);
}
