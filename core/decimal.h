/* Exact decimals: money and the numbers of rules. Never a float between a shop and its report. */
#ifndef CORE_DECIMAL_H
#define CORE_DECIMAL_H

#include "core/buffer.h"
#include "core/err.h"
#include "core/slice.h"

/* Digits after the point of a currency by ISO 4217: 2 for most and for "", 0 for JPY, 3 for KWD. */
int currency_digits(struct slice currency);
#define CURRENCY_DIGITS_MAX 4

/* Three ASCII letters; writes them upper case. */
bool currency_normalize(struct slice currency, char out[3]);

/* A JSON number ("-12.5", "1e3") as an integer of 10^-digits: "12.5" with 2 gives 1250. Digits
 * beyond that must be float noise (under a millionth of the last unit; it is rounded away) or the
 * answer is ERR_INVALID, as it is beyond +-9e15 units. err->field is left to the caller. */
enum err_code decimal_parse(struct slice number, int digits, int64_t *out, struct err *err);

/* 1250 with 2 as "12.50"; 1250 with 0 as "1250". */
void decimal_add(struct buffer *out, int64_t units, int digits);

/* Is s a JSON number, whole? */
bool decimal_is_number(struct slice s);

/* -1, 0, 1: a and b (JSON numbers of any length) compared by value, exactly. */
int decimal_compare(struct slice a, struct slice b);

/* The canonical spelling of a JSON number: no exponent, no needless zeros, "-0" is "0". Numbers
 * that would need over 400 digits give false. */
bool decimal_canonical(struct slice number, struct buffer *out);

#endif
