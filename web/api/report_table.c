#include "web/api/report_table.h"

#include <stdio.h>
#include <string.h>

static void
cell(struct table *t, const json_t *value)
{
    if (json_is_integer(value))
        table_integer(t, json_integer_value(value));
    else if (json_is_real(value))
        table_number(t, json_real_value(value));
    else if (json_is_string(value))
        table_text(t, slice_of(json_string_value(value), json_string_length(value)));
    else if (json_is_boolean(value))
        table_text(t, json_is_true(value) ? SLICE("true") : SLICE("false"));
    else
        table_nothing(t);
}

static void
text(struct table *t, const char *words)
{
    table_text(t, slice_from(words));
}

static const char *const counts[] = {"reached", "skipped", "throughput", "entries",  "exits",
                                     "dropoff", "open",    "onward",     "converted"};
#define N_COUNTS (sizeof counts / sizeof *counts)

static const char *const rates[] = {"rate_onward", "rate_converted", "rate_from_first",
                                    "rate_from_previous"};
#define N_RATES (sizeof rates / sizeof *rates)

/* The stage's number, name, counts and, where they are given, rates. */
static void
stage_cells(struct table *t, const json_t *stage, const json_t *named, size_t number,
            bool has_rates)
{
    table_integer(t, (int64_t)number + 1);
    cell(t, json_object_get(named, "name"));
    for (size_t i = 0; i < N_COUNTS; i++)
        cell(t, json_object_get(stage, counts[i]));
    for (size_t i = 0; i < N_RATES && has_rates; i++)
        cell(t, json_object_get(stage, rates[i]));
}

static void
stage_headings(struct table *t, bool has_rates)
{
    text(t, "stage");
    text(t, "name");
    for (size_t i = 0; i < N_COUNTS; i++)
        text(t, counts[i]);
    for (size_t i = 0; i < N_RATES && has_rates; i++)
        text(t, rates[i]);
}

/* Adds the currencies that any of these (stages, counts) has a value in. */
static void
add_currencies(json_t *all, const json_t *figures)
{
    const json_t *one;
    json_t *amount;
    const char *currency;
    size_t i;

    json_array_foreach(figures, i, one)
    {
        json_t *value = json_object_get(one, "value");

        json_object_foreach(value, currency, amount)
            json_object_set_new(all, currency, json_true());
    }
}

/* Those of all, in one order. */
static json_t *
currencies_of(const json_t *figures)
{
    json_t *all = json_object();

    add_currencies(all, figures);
    return all;
}

/* Money is a decimal text in JSON; here it is a number, as it stands. */
static void
money_cell(struct table *t, const json_t *amount)
{
    if (json_is_string(amount))
        table_decimal(t, slice_from(json_string_value(amount)));
    else
        table_nothing(t);
}

static void
value_headings(struct table *t, json_t *currencies)
{
    const char *currency;
    json_t *ignored;

    json_object_foreach(currencies, currency, ignored)
    {
        char heading[32];

        snprintf(heading, sizeof heading, "value%s%s", currency[0] ? "_" : "", currency);
        text(t, heading);
    }
}

static void
value_cells(struct table *t, const json_t *figures, json_t *currencies)
{
    const char *currency;
    json_t *ignored;

    json_object_foreach(currencies, currency, ignored)
        money_cell(t, json_object_get(json_object_get(figures, "value"), currency));
}

static void
stages_table(struct table *t, const json_t *report)
{
    const json_t *stages = json_object_get(report, "stages"), *stage;
    json_t *currencies = currencies_of(stages);
    size_t i;

    stage_headings(t, true);
    value_headings(t, currencies);
    table_end_line(t);
    json_array_foreach(stages, i, stage)
    {
        stage_cells(t, stage, stage, i, true);
        value_cells(t, stage, currencies);
        table_end_line(t);
    }
    json_decref(currencies);
}

static void
row_headings(struct table *t, const struct request *r)
{
    for (size_t b = 0; b < r->n_breakdowns; b++)
        table_text(t, r->breakdowns[b].attribute.name);
    text(t, "is_other");
}

/* What a row is of; a row of others says so. */
static void
row_cells(struct table *t, const json_t *row, const struct request *r)
{
    bool is_other = json_is_true(json_object_get(row, "other"));
    const json_t *values = json_object_get(row, "values");

    for (size_t b = 0; b < r->n_breakdowns; b++)
        cell(t, is_other ? NULL : json_array_get(values, b));
    text(t, is_other ? "true" : "false");
}

/* A line for each row and stage. */
static void
breakdown_table(struct table *t, const json_t *report, const struct request *r)
{
    const json_t *names = json_object_get(report, "stages"), *row, *stage;
    json_t *currencies = currencies_of(names);
    size_t i, k;

    json_array_foreach(json_object_get(report, "breakdown"), i, row)
        add_currencies(currencies, json_object_get(row, "stages"));
    row_headings(t, r);
    stage_headings(t, false);
    value_headings(t, currencies);
    table_end_line(t);
    json_array_foreach(json_object_get(report, "breakdown"), i, row)
    {
        json_array_foreach(json_object_get(row, "stages"), k, stage)
        {
            row_cells(t, row, r);
            stage_cells(t, stage, json_array_get(names, k), k, false);
            value_cells(t, stage, currencies);
            table_end_line(t);
        }
    }
    json_decref(currencies);
}

static const char *const sums[] = {"visitors", "sessions", "events", "orders", "engaged_ms"};
#define N_SUMS (sizeof sums / sizeof *sums)

static void
sum_cells(struct table *t, const json_t *figures, json_t *currencies)
{
    for (size_t i = 0; i < N_SUMS; i++)
        cell(t, json_object_get(figures, sums[i]));
    value_cells(t, figures, currencies);
    table_end_line(t);
}

/* A line for each row of a count; without a breakdown one of all. */
static void
count_table(struct table *t, const json_t *count, const struct request *r)
{
    const json_t *rows = json_object_get(count, "breakdown"), *row;
    json_t *currencies = currencies_of(rows), *amount;
    const char *currency;
    size_t i;

    json_object_foreach(json_object_get(count, "value"), currency, amount)
        json_object_set_new(currencies, currency, json_true());
    if (rows)
        row_headings(t, r);
    for (i = 0; i < N_SUMS; i++)
        text(t, sums[i]);
    value_headings(t, currencies);
    table_end_line(t);
    json_array_foreach(rows, i, row)
    {
        row_cells(t, row, r);
        sum_cells(t, row, currencies);
    }
    if (!rows)
        sum_cells(t, count, currencies);
    json_decref(currencies);
}

/* A moment as the report's JSON has it, in the table's zone. */
static void
moment_cell(struct table *t, const json_t *value)
{
    struct slice words = slice_from(json_string_value(value));
    int64_t ms;

    if (timestamp_parse(words, &ms, NULL) == ERR_OK)
        table_moment(t, ms);
    else
        cell(t, value);
}

static void
trend_table(struct table *t, const json_t *report)
{
    const json_t *names = json_object_get(report, "stages"), *point, *stage;
    size_t i, k;

    text(t, "start");
    stage_headings(t, false);
    table_end_line(t);
    json_array_foreach(json_object_get(report, "trend"), i, point)
    {
        json_array_foreach(json_object_get(point, "stages"), k, stage)
        {
            moment_cell(t, json_object_get(point, "start"));
            stage_cells(t, stage, json_array_get(names, k), k, false);
            table_end_line(t);
        }
    }
}

/* From 0: those who came in there. */
static void
moves_table(struct table *t, const json_t *report)
{
    const json_t *move;
    size_t i;

    text(t, "from_stage");
    text(t, "to_stage");
    text(t, "paths");
    table_end_line(t);
    json_array_foreach(json_object_get(report, "moves"), i, move)
    {
        for (size_t k = 0; k < 3; k++)
            cell(t, json_array_get(move, k));
        table_end_line(t);
    }
}

/* The three lists of a catalogue, one below the other. */
static void
catalogue_table(struct table *t, const json_t *catalogue)
{
    static const char *const lists[] = {"events", "properties", "bots"};
    const json_t *row;
    size_t i;

    text(t, "list");
    text(t, "name");
    text(t, "events");
    text(t, "last");
    table_end_line(t);
    for (size_t k = 0; k < sizeof lists / sizeof *lists; k++) {
        json_array_foreach(json_object_get(json_object_get(catalogue, lists[k]), "rows"), i, row)
        {
            text(t, lists[k]);
            cell(t, json_object_get(row, "name"));
            cell(t, json_object_get(row, "events"));
            moment_cell(t, json_object_get(row, "last"));
            table_end_line(t);
        }
    }
}

static void
sales_line(struct table *t, const char *name, const json_t *sales, json_t *currencies)
{
    text(t, name);
    cell(t, json_object_get(sales, "orders"));
    value_cells(t, sales, currencies);
    table_end_line(t);
}

/* What is counted, what is not and why, and what was received: the last line is the others' sum. */
static void
reconcile_table(struct table *t, const json_t *answer)
{
    const json_t *parts = json_object_get(answer, "parts"), *part;
    json_t *both =
        json_pack("[O,O]", json_object_get(answer, "counted"), json_object_get(answer, "received"));
    json_t *currencies = currencies_of(both);
    size_t i;

    add_currencies(currencies, parts);
    text(t, "part");
    text(t, "orders");
    value_headings(t, currencies);
    table_end_line(t);
    sales_line(t, "counted", json_array_get(both, 0), currencies);
    json_array_foreach(parts, i, part)
        sales_line(t, json_string_value(json_object_get(part, "part")), part, currencies);
    sales_line(t, "received", json_array_get(both, 1), currencies);
    json_decref(currencies);
    json_decref(both);
}

static void
shared_orders_table(struct table *t, const json_t *answer)
{
    static const char *const columns[] = {"order", "n_visitors", "events", "counted"};
    const json_t *orders = json_object_get(json_object_get(answer, "shared_orders"), "orders");
    const json_t *order;
    size_t i;

    for (size_t k = 0; k < sizeof columns / sizeof *columns; k++)
        text(t, k == 1 ? "visitors" : columns[k]);
    table_end_line(t);
    json_array_foreach(orders, i, order)
    {
        for (size_t k = 0; k < sizeof columns / sizeof *columns; k++)
            cell(t, json_object_get(order, columns[k]));
        table_end_line(t);
    }
}

void
report_table_add(struct table *t, const char *what, const json_t *report, const struct request *r)
{
    if (strcmp(what, "stages") == 0)
        stages_table(t, report);
    else if (strcmp(what, "breakdown") == 0)
        breakdown_table(t, report, r);
    else if (strcmp(what, "trend") == 0)
        trend_table(t, report);
    else if (strcmp(what, "moves") == 0)
        moves_table(t, report);
    else if (strcmp(what, "count") == 0)
        count_table(t, report, r);
    else if (strcmp(what, "reconcile") == 0)
        reconcile_table(t, report);
    else if (strcmp(what, "shared_orders") == 0)
        shared_orders_table(t, report);
    else
        catalogue_table(t, report);
}
