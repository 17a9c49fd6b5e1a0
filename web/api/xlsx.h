/* A table as an Excel file, with real types: numbers, moments of a time zone, money. The only
 * includer of libxlsxwriter.
 *
 *     xlsx_open(&(struct xlsx_config){.name = "visitors"}, &x, err)
 *     xlsx_text(x, ..); xlsx_end_line(x);            the first line is the headings
 *     xlsx_integer(x, ..) ..; xlsx_end_line(x);      and so on
 *     xlsx_finish(&x, &fd, &n_bytes, err)
 *
 * Lines go to the disk as they come: memory does not grow with them. All files are nameless from
 * the start, so that nothing is left behind by an error or a kill. A sheet holds XLSX_ROWS_MAX
 * lines below its headings; what follows comes on a further one, with the same headings.
 */
#ifndef WEB_API_XLSX_H
#define WEB_API_XLSX_H

#include <stdint.h>

#include "core/err.h"
#include "core/slice.h"

#define XLSX_ROWS_MAX 1048575

struct xlsx_config {
    const char
        *name; /* of the sheet: letters and spaces, at most 20 bytes; further ones get a number */
    uint32_t rows_max; /* 0: XLSX_ROWS_MAX; for tests */
};

struct xlsx;

/* ERR_IO, ERR_FULL: no temporary file. */
enum err_code xlsx_open(const struct xlsx_config *config, struct xlsx **out, struct err *err);
void xlsx_close(struct xlsx **x); /* without a file; takes NULL */

/* Cells, from left to right. A text is never a formula, whatever it begins with; bytes that XML
 * cannot hold are written as Excel escapes them. What cannot be written is told by xlsx_finish. */
void xlsx_text(struct xlsx *x, struct slice text);
void xlsx_integer(struct xlsx *x, int64_t number);
void xlsx_number(struct xlsx *x, double number);
void xlsx_decimal(struct xlsx *x, struct slice decimal);    /* money, with its decimals */
void xlsx_moment(struct xlsx *x, int64_t ms, int offset_s); /* as clocks showed it there */
void xlsx_nothing(struct xlsx *x);
void xlsx_end_line(struct xlsx *x);

/* Takes *x also on an error. *out_fd is the file, at its beginning; the caller closes it. ERR_IO,
 * ERR_FULL. */
enum err_code xlsx_finish(struct xlsx **x, int *out_fd, uint64_t *out_bytes, struct err *err);

#endif
