/*
 * The answer of a call that tests a step: what became of it, once its run is over, or
 * that it still runs.
 */
#ifndef FRONT_TEST_RESULT_H
#define FRONT_TEST_RESULT_H

#include "front/route.h"

#define TEST_RESULT_WAIT (25 * USEC_SECOND)

/* Answers 200 {executionId, status, output, error?, durationMs, logs}, or after
 * TEST_RESULT_WAIT 202 {executionId, status}. step: its number. */
void test_result_reply(struct exchange *exchange, const struct uuid *run, int step);

#endif
