/*
 * Parameters in PostgreSQL's binary format, one after another in one buffer; arrays are
 * built in place, their head is filled in at the end. Knows no connection.
 */
#include <string.h>

#include "store/pg.h"
#include "store/pg_types.h"

#define ARRAY_HEAD 20 /* dimensions, has nulls, element type, count, lower bound */

static const struct {
	uint32_t oid, array;
} types[PG_TYPES] = {
	[PG_BOOL] = { OID_BOOL, OID_BOOL_ARRAY },
	[PG_INT2] = { OID_INT2, OID_INT2_ARRAY },
	[PG_INT4] = { OID_INT4, OID_INT4_ARRAY },
	[PG_INT8] = { OID_INT8, OID_INT8_ARRAY },
	[PG_TEXT] = { OID_TEXT, OID_TEXT_ARRAY },
	[PG_UUID] = { OID_UUID, OID_UUID_ARRAY },
	[PG_JSONB] = { OID_JSONB, OID_JSONB_ARRAY },
	[PG_TIME] = { OID_TIMESTAMPTZ, OID_TIMESTAMPTZ_ARRAY },
	[PG_BYTES] = { OID_BYTEA, OID_BYTEA_ARRAY },
};

void
pg_args_init(struct pg_args *args)
{
	args->data = (struct buf){ 0 };
	args->count = 0;
	args->array_type = PG_TYPES;
}

void
pg_args_fini(struct pg_args *args)
{
	buf_fini(&args->data);
	args->count = 0;
}

static bool
in_array(const struct pg_args *args)
{
	return args->array_type != PG_TYPES;
}

static void
new_arg(struct pg_args *args, uint32_t oid, int len)
{
	if (args->count == PG_ARGS_MAX)
		bug("a statement has more than %d parameters", PG_ARGS_MAX);
	args->at[args->count].type = oid;
	args->at[args->count].offset = (long)args->data.len;
	args->at[args->count].len = len;
	args->count++;
}

/* Room for one value of len bytes, as an item of the array or as a parameter. */
static unsigned char *
value_room(struct pg_args *args, enum pg_type type, size_t len)
{
	unsigned char *room;

	if (len > INT32_MAX)
		bug("a parameter of %zu bytes", len);
	if (!in_array(args)) {
		new_arg(args, types[type].oid, (int)len);
		room = (unsigned char *)buf_reserve(&args->data, len);
		buf_grow(&args->data, len);
		return room;
	}
	if (type != args->array_type)
		bug("an array of one type got an item of another");
	room = (unsigned char *)buf_reserve(&args->data, 4 + len);
	put_be(room, len, 4);
	buf_grow(&args->data, 4 + len);
	args->array_count++;
	return room + 4;
}

void
pg_arg_null(struct pg_args *args, enum pg_type type)
{
	static const char minus_one[4] = { '\377', '\377', '\377', '\377' };

	if (!in_array(args)) {
		new_arg(args, types[type].oid, -1);
		return;
	}
	buf_add(&args->data, minus_one, sizeof minus_one);
	args->array_count++;
	args->array_nulls = true;
}

static void
arg_int(struct pg_args *args, enum pg_type type, int64_t value, int bytes)
{
	put_be(value_room(args, type, (size_t)bytes), (uint64_t)value, bytes);
}

void
pg_arg_bool(struct pg_args *args, bool value)
{
	arg_int(args, PG_BOOL, value, 1);
}

void
pg_arg_int2(struct pg_args *args, int value)
{
	arg_int(args, PG_INT2, value, 2);
}

void
pg_arg_int4(struct pg_args *args, int32_t value)
{
	arg_int(args, PG_INT4, value, 4);
}

void
pg_arg_int8(struct pg_args *args, int64_t value)
{
	arg_int(args, PG_INT8, value, 8);
}

void
pg_arg_time(struct pg_args *args, usec_t instant)
{
	if (instant == 0)
		pg_arg_null(args, PG_TIME);
	else
		arg_int(args, PG_TIME, instant - PG_EPOCH, 8);
}

static void
arg_copy(struct pg_args *args, enum pg_type type, const void *data, size_t len)
{
	unsigned char *room = value_room(args, type, len);

	if (len > 0)
		memcpy(room, data, len);
}

void
pg_arg_text_len(struct pg_args *args, const char *text, size_t len)
{
	arg_copy(args, PG_TEXT, text, len);
}

void
pg_arg_text(struct pg_args *args, const char *text)
{
	if (text == NULL)
		pg_arg_null(args, PG_TEXT);
	else
		arg_copy(args, PG_TEXT, text, strlen(text));
}

void
pg_arg_uuid(struct pg_args *args, const struct uuid *id)
{
	if (id == NULL)
		pg_arg_null(args, PG_UUID);
	else
		arg_copy(args, PG_UUID, id->b, sizeof id->b);
}

void
pg_arg_bytes(struct pg_args *args, const void *data, size_t len)
{
	arg_copy(args, PG_BYTES, data, len);
}

void
pg_arg_json_text(struct pg_args *args, const char *text, size_t len)
{
	unsigned char *room = value_room(args, PG_JSONB, len + 1);

	room[0] = JSONB_VERSION;
	memcpy(room + 1, text, len);
}

/* Written straight into the buffer: the length is known afterwards. */
void
pg_arg_json(struct pg_args *args, const struct json *json)
{
	size_t start, len;

	if (json == NULL) {
		pg_arg_null(args, PG_JSONB);
		return;
	}
	value_room(args, PG_JSONB, 1)[0] = JSONB_VERSION;
	start = args->data.len - 1;
	json_write(json, &args->data);
	len = args->data.len - start;
	if (len > INT32_MAX)
		bug("a JSON parameter of %zu bytes", len);
	if (in_array(args))
		put_be((unsigned char *)args->data.data + start - 4, len, 4);
	else
		args->at[args->count - 1].len = (int)len;
}

void
pg_array_begin(struct pg_args *args, enum pg_type type)
{
	if (in_array(args))
		bug("an array inside an array");
	new_arg(args, types[type].array, 0);
	args->array_start = args->data.len;
	args->array_count = 0;
	args->array_type = type;
	args->array_nulls = false;
	memset(buf_reserve(&args->data, ARRAY_HEAD), 0, ARRAY_HEAD);
	buf_grow(&args->data, ARRAY_HEAD);
}

void
pg_array_end(struct pg_args *args)
{
	unsigned char *head = (unsigned char *)args->data.data + args->array_start;
	size_t len = args->data.len - args->array_start;

	if (!in_array(args) || len > INT32_MAX)
		bug("an array ends that has not begun, or is too large");
	if (args->array_count == 0)
		len = 12; /* no dimension: the head is shorter */
	put_be(head, args->array_count > 0, 4);
	put_be(head + 4, args->array_nulls, 4);
	put_be(head + 8, types[args->array_type].oid, 4);
	put_be(head + 12, (uint64_t)args->array_count, 4);
	put_be(head + 16, 1, 4);
	args->at[args->count - 1].len = (int)len;
	args->array_type = PG_TYPES;
}

void
pg_args_give(const struct pg_args *args, const char **values, int *lengths,
	     int *formats)
{
	for (int i = 0; i < args->count; i++) {
		bool null = args->at[i].len < 0;

		values[i] = null ? NULL : buf_text(&args->data) + args->at[i].offset;
		lengths[i] = args->at[i].len;
		formats[i] = 1;
	}
}
