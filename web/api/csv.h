/* Comma-separated values (RFC 4180) that no spreadsheet takes for formulas: one writer for all that
 * is exported, headings included. */
#ifndef WEB_API_CSV_H
#define WEB_API_CSV_H

#include "core/buffer.h"

struct csv {
    struct buffer *out;
    bool is_begun; /* the line has a cell */
};

/* A text, always quoted. Where it begins as a formula would (= + - @, their full-width forms, tab,
 * line ends) an apostrophe stands before it. */
void csv_text(struct csv *c, struct slice text);

/* Numbers are written as they are, and may begin with a minus. */
void csv_integer(struct csv *c, int64_t number);
void csv_number(struct csv *c, double number);
void csv_decimal(struct csv *c, struct slice decimal); /* digits, as they stand */
void csv_nothing(struct csv *c);                       /* an empty cell */
void csv_end_line(struct csv *c);

/* Would a spreadsheet take it for a formula? */
bool csv_is_formula(struct slice text);

#endif
