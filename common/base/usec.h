/* Time in microseconds. Instants count from 1970 in UTC unless a name says mono. */
#ifndef BASE_USEC_H
#define BASE_USEC_H

#include <stdint.h>

typedef int64_t usec_t;

#define USEC_MS     ((usec_t)1000)
#define USEC_SECOND ((usec_t)1000000)
#define USEC_NEVER  INT64_MAX

#endif
