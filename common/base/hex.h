/* The value of one hexadecimal digit. */
#ifndef BASE_HEX_H
#define BASE_HEX_H

static inline int
hex_value(char c) /* -1 when it is none */
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

#endif
