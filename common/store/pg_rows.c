/*
 * Reading results, all of them binary. A column of another type than asked for is a bug
 * of the statement, not a fault of the data.
 */
#include <string.h>

#include "base/log.h"
#include "store/pg_rows.h"
#include "store/pg_types.h"

int
pg_count(const struct pg_rows *rows)
{
	return PQntuples(rows->result);
}

bool
pg_is_null(const struct pg_rows *rows, int row, int column)
{
	return PQgetisnull(rows->result, row, column) != 0;
}

static const unsigned char *
value(const struct pg_rows *rows, int row, int column)
{
	return (const unsigned char *)PQgetvalue(rows->result, row, column);
}

static int
length(const struct pg_rows *rows, int row, int column)
{
	return PQgetlength(rows->result, row, column);
}

static _Noreturn void
wrong_type(const struct pg_rows *rows, int column, const char *wanted)
{
	bug("column \"%s\" is not %s", PQfname(rows->result, column), wanted);
}

static void
want_type(const struct pg_rows *rows, int column, Oid oid, const char *wanted)
{
	if (PQftype(rows->result, column) != oid)
		wrong_type(rows, column, wanted);
}

bool
pg_bool(const struct pg_rows *rows, int row, int column)
{
	want_type(rows, column, OID_BOOL, "bool");
	return !pg_is_null(rows, row, column) && value(rows, row, column)[0] != 0;
}

int64_t
pg_int(const struct pg_rows *rows, int row, int column)
{
	const unsigned char *at = value(rows, row, column);

	if (pg_is_null(rows, row, column))
		return 0;
	switch (PQftype(rows->result, column)) {
	case OID_INT2:
		return (int16_t)get_be(at, 2);
	case OID_INT4:
		return (int32_t)get_be(at, 4);
	case OID_INT8:
		return (int64_t)get_be(at, 8);
	default:
		wrong_type(rows, column, "a whole number");
	}
}

double
pg_double(const struct pg_rows *rows, int row, int column)
{
	const unsigned char *at = value(rows, row, column);
	uint64_t bits;
	double number;
	float small;
	uint32_t small_bits;

	if (pg_is_null(rows, row, column))
		return 0;
	switch (PQftype(rows->result, column)) {
	case OID_FLOAT8:
		bits = get_be(at, 8);
		memcpy(&number, &bits, sizeof number);
		return number;
	case OID_FLOAT4:
		small_bits = (uint32_t)get_be(at, 4);
		memcpy(&small, &small_bits, sizeof small);
		return (double)small;
	default:
		return (double)pg_int(rows, row, column);
	}
}

struct uuid
pg_uuid(const struct pg_rows *rows, int row, int column)
{
	struct uuid id = { { 0 } };

	want_type(rows, column, OID_UUID, "a uuid");
	if (!pg_is_null(rows, row, column))
		memcpy(id.b, value(rows, row, column), sizeof id.b);
	return id;
}

usec_t
pg_time(const struct pg_rows *rows, int row, int column)
{
	want_type(rows, column, OID_TIMESTAMPTZ, "a timestamptz");
	if (pg_is_null(rows, row, column))
		return 0;
	return (usec_t)get_be(value(rows, row, column), 8) + PG_EPOCH;
}

const char *
pg_text(const struct pg_rows *rows, int row, int column, size_t *len)
{
	size_t skip = PQftype(rows->result, column) == OID_JSONB ? 1 : 0;
	size_t all = (size_t)length(rows, row, column);

	if (len != NULL)
		*len = all > skip ? all - skip : 0;
	if (pg_is_null(rows, row, column))
		return NULL;
	return (const char *)value(rows, row, column) + skip;
}

/* What the database holds was checked before it went there. Should somebody have put
 * more into it by hand, one row must not end every process that reads it. */
struct json *
pg_json(const struct pg_rows *rows, int row, int column)
{
	struct err err = { 0 };
	struct json *json = NULL;
	const char *text;
	size_t len;

	text = pg_text(rows, row, column, &len);
	if (text != NULL && json_parse(text, len, &json, &err) < 0)
		log_error("postgres.unreadable",
			  F_STR("column", PQfname(rows->result, column)),
			  F_STR("why", err.text));
	return json;
}
