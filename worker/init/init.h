/*
 * What a worker and the first process of an attempt (stepmill-init) say to one another.
 * The worker starts it with words NAME=VALUE, then "--", then the program; descriptors
 * 0 to 2 are the program's, 3 is its channel (if there is one), and the two below.
 */
#ifndef WORKER_INIT_INIT_H
#define WORKER_INIT_INIT_H

#include <stdint.h>

#define INIT_CHANNEL_FD 3
#define INIT_CONTROL_FD                                                                \
	4 /* a socket, SOCK_SEQPACKET; its end means: the worker is gone */
#define INIT_FOLDER_FD 5 /* where the program starts */

/* Worker to init, one byte a message. */
#define INIT_ASK   'T' /* SIGTERM to everything */
#define INIT_FORCE 'K' /* SIGKILL to everything */

/* Init to worker, exactly one. After it everything is ended; then init ends. */
enum init_news {
	INIT_ENDED = 1,   /* value: the status of waitpid */
	INIT_NOT_STARTED, /* value: errno; stage: at what */
};

enum init_stage {
	INIT_AT_INIT, /* stepmill-init itself, or what must come before it */
	INIT_AT_LIMITS,
	INIT_AT_USER,
	INIT_AT_FOLDER,
	INIT_AT_PROGRAM,
};

struct init_message {
	uint32_t news;
	uint32_t stage;
	int32_t value;
};

/*
 * The words:
 *   mode=namespace|cgroup|reaper  how it sees to it that nothing is left
 *   cgroup=PATH        of mode cgroup: a folder to make, and to remove at the end
 *   channel=1          descriptor 3 is handed on
 *   user=UID:GID  groups=GID,GID,...
 *   address_space=BYTES  files=COUNT  processes=COUNT   limits; 0: none
 * Alone: probe=MODE (does it work? exit status 0), remove=PATH (a folder and all in
 * it).
 */

#endif
