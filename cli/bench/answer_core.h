/* Pure: the head of an HTTP answer, as far as the bench's client has to understand it.
 */
#ifndef BENCH_ANSWER_CORE_H
#define BENCH_ANSWER_CORE_H

#include <stdbool.h>
#include <stddef.h>

#define ANSWER_BODY_MAX ((size_t)16 * 1024 * 1024)
#define ANSWER_HEAD_MAX ((size_t)64 * 1024)

enum answer_state { ANSWER_PARTIAL, ANSWER_WHOLE, ANSWER_BROKEN };

struct answer_head {
	int status;
	size_t head_len, body_len;
	bool close; /* the connection ends with it */
};

/* WHOLE: head and body are there, answer is filled in. */
enum answer_state answer_read(const char *text, size_t len, struct answer_head *answer);

#endif
