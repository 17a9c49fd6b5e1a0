#include "web/api/csv.h"

/* Some spreadsheets pass over spaces before a formula. */
static struct slice
without_spaces(struct slice text)
{
    static const char *const spaces[] = {" ", "\xc2\xa0", "\xef\xbb\xbf"}; /* U+A0, U+FEFF */
    size_t i = 0;

    while (i < sizeof spaces / sizeof *spaces) {
        struct slice space = slice_from(spaces[i++]);

        if (slice_starts_with(text, space)) {
            text = slice_sub(text, space.n, text.n);
            i = 0;
        }
    }
    return text;
}

bool
csv_is_formula(struct slice text)
{
    static const char *const wide[] = {"\xef\xbc\x9d", "\xef\xbc\x8b", "\xef\xbc\x8d",
                                       "\xef\xbc\xa0"}; /* U+FF1D, FF0B, FF0D, FF20 */

    text = without_spaces(text);
    if (text.n == 0)
        return false;
    if (memchr("=+-@\t\r\n", text.p[0], 7) != NULL)
        return true;
    for (size_t i = 0; i < sizeof wide / sizeof *wide; i++)
        if (slice_starts_with(text, slice_from(wide[i])))
            return true;
    return false;
}

static void
begin_cell(struct csv *c)
{
    if (c->is_begun)
        buffer_add_char(c->out, ',');
    c->is_begun = true;
}

void
csv_text(struct csv *c, struct slice text)
{
    begin_cell(c);
    buffer_add_char(c->out, '"');
    if (csv_is_formula(text))
        buffer_add_char(c->out, '\'');
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '"')
            buffer_add_char(c->out, '"');
        buffer_add_char(c->out, text.p[i]);
    }
    buffer_add_char(c->out, '"');
}

void
csv_integer(struct csv *c, int64_t number)
{
    begin_cell(c);
    buffer_printf(c->out, "%lld", (long long)number);
}

void
csv_number(struct csv *c, double number)
{
    begin_cell(c);
    buffer_printf(c->out, "%.15g", number);
}

void
csv_decimal(struct csv *c, struct slice decimal)
{
    begin_cell(c);
    buffer_add_slice(c->out, decimal);
}

void
csv_nothing(struct csv *c)
{
    begin_cell(c);
}

void
csv_end_line(struct csv *c)
{
    buffer_add_text(c->out, "\r\n");
    c->is_begun = false;
}
