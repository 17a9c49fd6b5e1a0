/* A table that goes out as a file: comma-separated values or an Excel sheet, by the same calls, so
 * that both say the same. In CSV a moment is a text (RFC 3339), money a decimal as it stands; in
 * Excel a date and a number. */
#ifndef WEB_API_TABLE_H
#define WEB_API_TABLE_H

#include "core/zone.h"
#include "web/api/csv.h"
#include "web/api/xlsx.h"

enum table_format { TABLE_CSV, TABLE_XLSX };

struct table {
    struct csv csv;          /* used where xlsx is NULL; out is the caller's */
    struct xlsx *xlsx;       /* owned by the caller */
    const struct zone *zone; /* of moments */
};

/* False where it names neither; "" is CSV. */
bool table_format_find(struct slice name, enum table_format *out);
const char *table_format_ending(enum table_format format); /* "csv" */
const char *table_format_type(enum table_format format);   /* of the reply */

/* Cells, from left to right; the first line is the headings. */
void table_text(struct table *t, struct slice text);
void table_integer(struct table *t, int64_t number);
void table_number(struct table *t, double number);
void table_decimal(struct table *t, struct slice decimal);
void table_moment(struct table *t, int64_t ms);
void table_nothing(struct table *t);
void table_end_line(struct table *t);

#endif
