/* PostgreSQL's binary formats: what parameters are written and results read by. Only
 * for the files of this door. */
#ifndef STORE_PG_TYPES_H
#define STORE_PG_TYPES_H

#include <stdint.h>
#include <string.h>

#include "store/pg.h"

/* Times in PostgreSQL count from 2000-01-01. */
#define PG_EPOCH (INT64_C(946684800) * USEC_SECOND)
/* jsonb travels as text behind this byte. */
#define JSONB_VERSION 1

/* The numbers of pg_type.dat, the same in every installation. */
enum pg_oid {
	OID_BOOL = 16,
	OID_BYTEA = 17,
	OID_INT8 = 20,
	OID_INT2 = 21,
	OID_INT4 = 23,
	OID_TEXT = 25,
	OID_FLOAT4 = 700,
	OID_FLOAT8 = 701,
	OID_BOOL_ARRAY = 1000,
	OID_BYTEA_ARRAY = 1001,
	OID_INT2_ARRAY = 1005,
	OID_INT4_ARRAY = 1007,
	OID_TEXT_ARRAY = 1009,
	OID_INT8_ARRAY = 1016,
	OID_TIMESTAMPTZ = 1184,
	OID_TIMESTAMPTZ_ARRAY = 1185,
	OID_UUID = 2950,
	OID_UUID_ARRAY = 2951,
	OID_JSONB = 3802,
	OID_JSONB_ARRAY = 3807,
};

static inline void
put_be(unsigned char *out, uint64_t value, int bytes)
{
	for (int i = bytes - 1; i >= 0; i--, value >>= 8)
		out[i] = (unsigned char)value;
}

static inline uint64_t
get_be(const unsigned char *in, int bytes)
{
	uint64_t value = 0;

	for (int i = 0; i < bytes; i++)
		value = value << 8 | in[i];
	return value;
}

/* The arrays that libpq wants, each of at least args->count items. */
void pg_args_give(const struct pg_args *args, const char **values, int *lengths,
		  int *formats);

#endif
