#include "web/api/table.h"

static const struct {
    const char *ending;
    const char *type;
} formats[] = {
    [TABLE_CSV] = {"csv", "text/csv; charset=utf-8"},
    [TABLE_XLSX] = {"xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
};

bool
table_format_find(struct slice name, enum table_format *out)
{
    *out = slice_is(name, formats[TABLE_XLSX].ending) ? TABLE_XLSX : TABLE_CSV;
    return name.n == 0 || slice_is(name, formats[*out].ending);
}

const char *
table_format_ending(enum table_format format)
{
    return formats[format].ending;
}

const char *
table_format_type(enum table_format format)
{
    return formats[format].type;
}

void
table_text(struct table *t, struct slice text)
{
    if (t->xlsx)
        xlsx_text(t->xlsx, text);
    else
        csv_text(&t->csv, text);
}

void
table_integer(struct table *t, int64_t number)
{
    if (t->xlsx)
        xlsx_integer(t->xlsx, number);
    else
        csv_integer(&t->csv, number);
}

void
table_number(struct table *t, double number)
{
    if (t->xlsx)
        xlsx_number(t->xlsx, number);
    else
        csv_number(&t->csv, number);
}

void
table_decimal(struct table *t, struct slice decimal)
{
    if (t->xlsx)
        xlsx_decimal(t->xlsx, decimal);
    else
        csv_decimal(&t->csv, decimal);
}

void
table_moment(struct table *t, int64_t ms)
{
    char when[TIMESTAMP_TEXT_MAX];

    if (t->xlsx)
        xlsx_moment(t->xlsx, ms, zone_offset_s(t->zone, ms));
    else
        csv_text(&t->csv, slice_from(zone_format(t->zone, ms, when)));
}

void
table_nothing(struct table *t)
{
    if (t->xlsx)
        xlsx_nothing(t->xlsx);
    else
        csv_nothing(&t->csv);
}

void
table_end_line(struct table *t)
{
    if (t->xlsx)
        xlsx_end_line(t->xlsx);
    else
        csv_end_line(&t->csv);
}
