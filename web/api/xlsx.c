#include "web/api/xlsx.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xlsxwriter.h>

#include "core/arena.h"
#include "core/buffer.h"
#include "core/file.h"

#define DIGITS_EXACT 15 /* that a number of a spreadsheet keeps */
#define TEXT_MAX     32767
#define DAY_MS       86400000.0
#define EPOCH_DAYS   25569.0 /* 1970-01-01 as Excel counts days */
#define DECIMALS_MAX 8
#define NAME_BYTES   40 /* of a sheet: 20 and a number, for any number */

struct xlsx {
    struct xlsx_config config;
    int fd;
    lxw_workbook *book;
    lxw_worksheet *sheet;
    int n_sheets;
    lxw_row_t row;
    lxw_col_t column;
    struct arena headings; /* the first line's texts */
    struct slice *names;
    size_t n_names;
    size_t names_max;
    lxw_format *of_headings;
    lxw_format *of_moments;
    lxw_format *of_money[DECIMALS_MAX + 1]; /* by decimals; made when first needed */
    lxw_error error;                        /* the first */
};

/* ---- Sheets ---- */

static void
note(struct xlsx *x, lxw_error error)
{
    if (x->error == LXW_NO_ERROR)
        x->error = error;
}

/* Does it begin as a character that Excel has escaped, "_x0041_"? */
static bool
is_escape(struct slice text)
{
    if (text.n < 7 || text.p[0] != '_' || text.p[1] != 'x' || text.p[6] != '_')
        return false;
    for (int i = 2; i < 6; i++)
        if (slice_hex_digit(text.p[i]) < 0)
            return false;
    return true;
}

/* What looks like an escape stays what it is: its first sign is escaped. The library escapes what
 * XML cannot hold. */
static void
write_text(struct xlsx *x, struct slice text, lxw_format *format)
{
    struct buffer copy = BUFFER_EMPTY;

    buffer_reserve(&copy, text.n + 1);
    for (size_t i = 0; i < text.n; i++) {
        if (is_escape(slice_sub(text, i, 7)))
            buffer_add_text(&copy, "_x005F");
        buffer_add_char(&copy, text.p[i]);
    }
    buffer_add_char(&copy, '\0');
    note(x, worksheet_write_string(x->sheet, x->row, x->column, copy.p, format));
    buffer_fini(&copy);
}

static void
begin_sheet(struct xlsx *x)
{
    char name[NAME_BYTES];

    x->n_sheets++;
    if (x->n_sheets == 1)
        snprintf(name, sizeof name, "%.20s", x->config.name);
    else
        snprintf(name, sizeof name, "%.20s %d", x->config.name, x->n_sheets);
    x->sheet = workbook_add_worksheet(x->book, name);
    x->row = 0;
    x->column = 0;
    if (!x->sheet) {
        note(x, LXW_ERROR_MEMORY_MALLOC_FAILED);
        return;
    }
    worksheet_freeze_panes(x->sheet, 1, 0);
    for (size_t i = 0; i < x->n_names; i++, x->column++)
        write_text(x, x->names[i], x->of_headings);
    if (x->n_names > 0)
        xlsx_end_line(x);
}

enum err_code
xlsx_open(const struct xlsx_config *config, struct xlsx **out, struct err *err)
{
    lxw_workbook_options options = {.constant_memory = LXW_TRUE, .use_zip64 = LXW_TRUE};
    struct xlsx *x = mem_zalloc(sizeof *x);
    char path[64];

    x->config = *config;
    if (x->config.rows_max == 0)
        x->config.rows_max = XLSX_ROWS_MAX;
    arena_init(&x->headings, 4096);
    x->fd = file_create_nameless("corong-sheet");
    if (x->fd < 0) {
        arena_fini(&x->headings);
        free(x);
        return err_errno(err, "there is no room for a temporary file");
    }
    snprintf(path, sizeof path, "/proc/self/fd/%d", x->fd);
    x->book = workbook_new_opt(path, &options);
    if (!x->book) {
        xlsx_close(&x);
        return err_set(err, ERR_IO, NULL, "the sheet cannot be begun");
    }
    x->of_headings = workbook_add_format(x->book);
    format_set_bold(x->of_headings);
    x->of_moments = workbook_add_format(x->book);
    format_set_num_format(x->of_moments, "yyyy-mm-dd hh:mm:ss");
    begin_sheet(x);
    *out = x;
    return ERR_OK;
}

static void
destroy(struct xlsx **x)
{
    if ((*x)->fd >= 0)
        close((*x)->fd);
    arena_fini(&(*x)->headings);
    free((*x)->names);
    free(*x);
    *x = NULL;
}

void
xlsx_close(struct xlsx **x)
{
    if (!*x)
        return;
    if ((*x)->book)
        workbook_close((*x)->book); /* which also ends the files of its sheets */
    destroy(x);
}

/* ---- Cells ---- */

/* Is there a place for a cell? A further sheet is begun where this one is full. */
static bool
is_ready(struct xlsx *x)
{
    if (x->column == 0 && x->row > x->config.rows_max)
        begin_sheet(x);
    return x->sheet && x->error == LXW_NO_ERROR;
}

static void
keep_heading(struct xlsx *x, struct slice text)
{
    if (x->n_names == x->names_max) {
        x->names_max = 2 * x->names_max + 32;
        x->names = mem_realloc(x->names, x->names_max * sizeof *x->names);
    }
    x->names[x->n_names++] = arena_copy(&x->headings, text);
}

/* Excel counts characters as UTF-16 does; no text of ours is so long but by mistake. */
static struct slice
cut(struct slice text)
{
    return slice_sub(text, 0, slice_utf8_cut(text, TEXT_MAX));
}

void
xlsx_text(struct xlsx *x, struct slice text)
{
    bool is_heading = x->n_sheets == 1 && x->row == 0;

    if (!is_ready(x))
        return;
    text = cut(text);
    if (is_heading)
        keep_heading(x, text);
    if (text.n != 0)
        write_text(x, text, is_heading ? x->of_headings : NULL);
    x->column++;
}

static void
write_number(struct xlsx *x, double number, lxw_format *format)
{
    if (!is_ready(x))
        return;
    note(x, worksheet_write_number(x->sheet, x->row, x->column, number, format));
    x->column++;
}

void
xlsx_integer(struct xlsx *x, int64_t number)
{
    write_number(x, (double)number, NULL);
}

void
xlsx_number(struct xlsx *x, double number)
{
    write_number(x, number, NULL);
}

static lxw_format *
money_format(struct xlsx *x, size_t decimals)
{
    static const char whole[] = "#,##0", most[] = "#,##0.00000000";
    char words[sizeof most];

    if (x->of_money[decimals])
        return x->of_money[decimals];
    snprintf(words, sizeof words, "%.*s",
             (int)(sizeof whole - 1 + (decimals > 0 ? decimals + 1 : 0)), most);
    x->of_money[decimals] = workbook_add_format(x->book);
    format_set_num_format(x->of_money[decimals], words);
    return x->of_money[decimals];
}

/* What a number cannot keep exactly is a text. */
void
xlsx_decimal(struct xlsx *x, struct slice decimal)
{
    size_t point = slice_find(decimal, '.', 0), n_digits = 0;
    size_t decimals = point < decimal.n ? decimal.n - point - 1 : 0;
    char text[64];

    for (size_t i = 0; i < decimal.n; i++)
        n_digits += decimal.p[i] >= '0' && decimal.p[i] <= '9';
    if (n_digits > DIGITS_EXACT || decimals > DECIMALS_MAX ||
        !slice_to_cstr(decimal, text, sizeof text))
        xlsx_text(x, decimal);
    else
        write_number(x, strtod(text, NULL), money_format(x, decimals));
}

void
xlsx_moment(struct xlsx *x, int64_t ms, int offset_s)
{
    write_number(x, EPOCH_DAYS + (double)(ms + (int64_t)offset_s * 1000) / DAY_MS, x->of_moments);
}

void
xlsx_nothing(struct xlsx *x)
{
    if (is_ready(x))
        x->column++;
}

void
xlsx_end_line(struct xlsx *x)
{
    x->row++;
    x->column = 0;
}

/* ---- The file ---- */

enum err_code
xlsx_finish(struct xlsx **book, int *out_fd, uint64_t *out_bytes, struct err *err)
{
    struct xlsx *x = *book;
    lxw_error error = x->error, last = workbook_close(x->book);
    enum err_code rc = ERR_OK;
    struct stat st;

    x->book = NULL;
    if (error == LXW_NO_ERROR)
        error = last;
    if (error != LXW_NO_ERROR)
        rc = err_set(err, ERR_IO, NULL, "the sheet cannot be written: %s", lxw_strerror(error));
    else if (fstat(x->fd, &st) != 0 || lseek(x->fd, 0, SEEK_SET) != 0)
        rc = err_errno(err, "the sheet cannot be read");
    if (rc == ERR_OK) {
        *out_fd = x->fd;
        *out_bytes = (uint64_t)st.st_size;
        x->fd = -1;
    }
    destroy(book);
    return rc;
}
