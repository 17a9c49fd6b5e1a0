/* From columns to rows of a count. See count_span.h. */
#include "aggregator/count_span.h"

#include <stdlib.h>

#define UNKNOWN UINT32_MAX
#define CHUNK   1024

#define SALE SLICE("sale")

/* ---- Opening ---- */

static enum err_code
open_columns(struct count_source *s, const struct segment *segment, struct err *err)
{
    static const enum event_text texts[DRIVER_PARTS] = {
        [DRIVER_SOURCE] = TEXT_SOURCE,     [DRIVER_MEDIUM] = TEXT_MEDIUM,
        [DRIVER_CAMPAIGN] = TEXT_CAMPAIGN, [DRIVER_CONTENT] = TEXT_CONTENT,
        [DRIVER_KEYWORD] = TEXT_KEYWORD,
    };
    enum err_code rc = segment_time_open(segment, &s->time, err);

    if (rc == ERR_OK)
        rc = segment_flags_open(segment, &s->flags, err);
    if (rc == ERR_OK)
        rc = segment_number_open(segment, NUMBER_ENGAGED_MS, &s->engaged, err);
    if (rc == ERR_OK)
        rc = segment_text_open(segment, TEXT_EVENT, &s->event, err);
    if (rc == ERR_OK)
        rc = segment_text_open(segment, TEXT_ORDER, &s->order, err);
    if (rc == ERR_OK)
        rc = segment_number_open(segment, NUMBER_VALUE, &s->value, err);
    if (rc == ERR_OK)
        rc = segment_text_open(segment, TEXT_CURRENCY, &s->currency, err);
    for (int i = 0; i < DRIVER_PARTS && rc == ERR_OK; i++)
        rc = segment_text_open(segment, texts[i], &s->driver[i], err);
    if (rc == ERR_OK)
        rc = segment_presence_open(segment, &s->presence, err);
    return rc;
}

static uint32_t *
unknown_numbers(struct arena *a, uint32_t n)
{
    uint32_t *numbers = ARENA_ARRAY(a, uint32_t, (size_t)n + 1);

    memset(numbers, 0xff, ((size_t)n + 1) * sizeof *numbers);
    return numbers;
}

enum err_code
count_source_open(struct count_source *s, struct counting *c, size_t input, struct err *err)
{
    const struct journey_input *in = &c->e->inputs[input];
    enum err_code rc = open_columns(s, in->segment, err);

    s->counting = c;
    s->input = input;
    s->rows = segment_run_rows(in->segment);
    s->n_runs = segment_info(in->segment)->n_runs;
    if (rc != ERR_OK)
        return rc;
    s->sale = segment_text_find(&s->event, SALE);
    s->value_of = segment_text_find(&s->event, c->request->count.value_of);
    s->currencies = (int32_t *)unknown_numbers(&c->arena, s->currency.n_codes);
    for (size_t b = 0; b < c->request->n_breakdowns; b++) {
        const struct segment_column *column = attribute_values_column(c->e->values[b], input);

        if (column)
            s->numbers[b] = unknown_numbers(&c->arena, column->n_codes);
    }
    s->is_open = true;
    return ERR_OK;
}

/* ---- Room ---- */

static void
reserve(struct count_span *s, uint32_t n)
{
    if (n <= s->room)
        return;
    s->room = n + n / 2 + CHUNK;
    s->times = mem_realloc(s->times, s->room * sizeof *s->times);
    s->drivers = mem_realloc(s->drivers, s->room * sizeof *s->drivers);
    s->are_bots = mem_realloc(s->are_bots, s->room * sizeof *s->are_bots);
    s->engaged_ms = mem_realloc(s->engaged_ms, (s->room + (size_t)1) * sizeof *s->engaged_ms);
    s->n_sales = mem_realloc(s->n_sales, (s->room + (size_t)1) * sizeof *s->n_sales);
    for (size_t b = 0; b < REQUEST_BREAKDOWNS_MAX; b++)
        s->values[b] = mem_realloc(s->values[b], s->room * sizeof *s->values[b]);
}

static void
add_sale(struct count_span *s, uint32_t at, const struct count_sale *sale)
{
    if (at == s->sales_room) {
        s->sales_room = 2 * s->sales_room + 64;
        s->sales = mem_realloc(s->sales, s->sales_room * sizeof *s->sales);
    }
    s->sales[at] = *sale;
}

void
count_span_fini(struct count_span *s)
{
    free(s->times);
    free(s->drivers);
    free(s->are_bots);
    free(s->engaged_ms);
    free(s->n_sales);
    for (size_t b = 0; b < REQUEST_BREAKDOWNS_MAX; b++)
        free(s->values[b]);
    free(s->sales);
    *s = (struct count_span){.n = 0};
}

size_t
count_span_bytes(const struct count_span *s)
{
    return s->room * (sizeof *s->times + sizeof *s->drivers + sizeof *s->are_bots +
                      sizeof *s->engaged_ms + sizeof *s->n_sales +
                      REQUEST_BREAKDOWNS_MAX * sizeof *s->values[0]) +
           s->sales_room * sizeof *s->sales;
}

/* ---- Reading, CHUNK rows at a time ---- */

/* Rows [at, at + n) of the span. */
struct part {
    struct count_span *span;
    struct count_source *from;
    uint32_t at;
    uint32_t row; /* of the segment */
    uint32_t n;
};

static void
read_flags(const struct part *p)
{
    int64_t flags[CHUNK];
    int64_t all = 0;

    if (!segment_may_have_bits(&p->from->flags, p->row, p->n, EVENT_BOT | EVENT_DRIVER)) {
        memset(p->span->drivers + p->at, 0, p->n * sizeof *p->span->drivers);
        memset(p->span->are_bots + p->at, 0, p->n * sizeof *p->span->are_bots);
        return;
    }
    segment_values(&p->from->flags, p->row, p->n, flags, NULL);
    for (uint32_t i = 0; i < p->n; i++) {
        all |= flags[i];
        p->span->drivers[p->at + i] = (flags[i] & EVENT_DRIVER) != 0 ? SPAN_UNKNOWN : 0;
        p->span->are_bots[p->at + i] = (flags[i] & EVENT_BOT) != 0;
    }
    p->span->has_bots = p->span->has_bots || (all & EVENT_BOT) != 0;
}

static void
read_engaged(const struct part *p)
{
    int64_t *sums = p->span->engaged_ms + p->at;

    if (p->from->engaged.n_set == 0) {
        for (uint32_t i = 0; i < p->n; i++)
            sums[i + 1] = sums[0];
        return;
    }
    segment_values(&p->from->engaged, p->row, p->n, sums + 1, NULL);
    for (uint32_t i = 0; i < p->n; i++)
        sums[i + 1] += sums[i];
}

static struct tally_value
value_of(struct count_source *s, int64_t units, uint32_t code)
{
    if (s->currencies[code] < 0)
        s->currencies[code] =
            tally_currency(s->counting->e->currencies, segment_text_value(&s->currency, code));
    return (struct tally_value){units, s->currencies[code]};
}

/* What is known of the rows that may have an order or a value. */
struct sold {
    uint32_t names[CHUNK];
    uint32_t orders[CHUNK];
    uint32_t currencies[CHUNK];
    int64_t units[CHUNK];
    bool is_set[CHUNK];
};

static bool
read_sale(const struct part *p, const struct sold *sold, uint32_t i, struct count_sale *out)
{
    struct count_source *s = p->from;
    bool has_order = sold->orders[i] != 0 && sold->names[i] == s->sale;
    bool has_value = sold->is_set[i] && sold->names[i] == s->value_of;

    *out = (struct count_sale){0, {0, -1}};
    if (has_order)
        out->order = attribute_values_find(s->counting->orders,
                                           segment_text_value(&s->order, sold->orders[i]));
    if (has_value)
        out->value = value_of(s, sold->units[i], sold->currencies[i]);
    return has_order || has_value;
}

static void
read_sold(const struct part *p, struct sold *sold)
{
    struct count_source *s = p->from;

    segment_codes(&s->event, p->row, p->n, sold->names);
    segment_codes(&s->order, p->row, p->n, sold->orders);
    segment_values(&s->value, p->row, p->n, sold->units, sold->is_set);
    if (s->value.n_set > 0)
        segment_codes(&s->currency, p->row, p->n, sold->currencies);
}

static void
read_sales(const struct part *p)
{
    uint32_t *n_sales = p->span->n_sales + p->at;
    uint32_t n = n_sales[0];
    struct sold sold;

    read_sold(p, &sold);
    for (uint32_t i = 0; i < p->n; i++) {
        struct count_sale sale;

        p->span->is_odd = p->span->is_odd || sold.names[i] == 0;
        if ((sold.orders[i] != 0 || sold.is_set[i]) && read_sale(p, &sold, i, &sale))
            add_sale(p->span, n++, &sale);
        n_sales[i + 1] = n;
    }
}

static void
read_values(const struct part *p, size_t b)
{
    struct counting *c = p->from->counting;
    const struct segment_column *column = attribute_values_column(c->e->values[b], p->from->input);
    uint32_t *numbers = p->from->numbers[b];
    uint32_t *values = p->span->values[b] + p->at;

    if (!column) {
        memset(values, 0, p->n * sizeof *values);
        return;
    }
    segment_codes(column, p->row, p->n, values);
    for (uint32_t i = 0; i < p->n; i++) {
        uint32_t code = values[i];

        if (numbers[code] == UNKNOWN)
            numbers[code] = attribute_values_of_code(c->e->values[b], p->from->input, code);
        values[i] = numbers[code];
    }
}

void
count_span_clear(struct count_span *s)
{
    reserve(s, 1);
    s->n = 0;
    s->engaged_ms[0] = 0;
    s->n_sales[0] = 0;
    s->n_pieces = 0;
    s->has_bots = false;
    s->is_odd = false;
}

void
count_span_read(struct count_span *s, struct count_source *from, uint32_t row, uint32_t n)
{
    struct part p = {.span = s, .from = from};

    reserve(s, n);
    count_span_clear(s);
    s->row = row;
    s->n = n;
    s->pieces[s->n_pieces++] = (struct count_piece){0, row, from};
    for (p.at = 0; p.at < n; p.at += p.n) {
        p.row = row + p.at;
        p.n = n - p.at < CHUNK ? n - p.at : CHUNK;
        segment_values(&from->time, p.row, p.n, s->times + p.at, NULL);
        read_flags(&p);
        read_engaged(&p);
        read_sales(&p);
        for (size_t b = 0; b < from->counting->request->n_breakdowns; b++)
            read_values(&p, b);
    }
}

/* ---- Drivers ---- */

static uint32_t
driver_of(struct count_source *s, const uint32_t *codes)
{
    struct driver_table *drivers = s->counting->e->drivers;
    const struct driver *driver;
    struct driver texts;
    struct span_met *met;
    uint32_t hash = 0;

    for (int i = 0; i < DRIVER_PARTS; i++)
        hash = (hash ^ codes[i]) * 0x9e3779b1u;
    met = &s->met[hash >> 16 & (SPAN_METS - 1)];
    if (met->driver != 0 && memcmp(met->codes, codes, sizeof met->codes) == 0)
        return met->driver;
    for (int i = 0; i < DRIVER_PARTS; i++)
        texts.parts[i] = segment_text_value(&s->driver[i], codes[i]);
    driver = driver_table_find(drivers, &texts);
    memcpy(met->codes, codes, sizeof met->codes);
    met->driver = driver->is_empty ? SPAN_EMPTY : driver->number;
    return met->driver;
}

/* Of rows of one piece. */
static void
read_piece_drivers(struct count_span *s, const struct count_piece *piece, uint32_t begin,
                   uint32_t end)
{
    uint32_t codes[DRIVER_PARTS][CHUNK];

    for (uint32_t at = begin, n; at < end; at += n) {
        n = end - at < CHUNK ? end - at : CHUNK;
        for (int k = 0; k < DRIVER_PARTS; k++)
            segment_codes(&piece->from->driver[k], piece->row + (at - piece->at), n, codes[k]);
        for (uint32_t i = 0; i < n; i++) {
            uint32_t own[DRIVER_PARTS];

            for (int k = 0; k < DRIVER_PARTS; k++)
                own[k] = codes[k][i];
            if (s->drivers[at + i] != 0)
                s->drivers[at + i] = driver_of(piece->from, own);
        }
    }
}

void
count_span_read_drivers(struct count_span *s, uint32_t begin, uint32_t end)
{
    for (size_t i = 0; i < s->n_pieces; i++) {
        uint32_t from = s->pieces[i].at;
        uint32_t to = i + 1 < s->n_pieces ? s->pieces[i + 1].at : s->n;

        from = from > begin ? from : begin;
        to = to < end ? to : end;
        if (from < to)
            read_piece_drivers(s, &s->pieces[i], from, to);
    }
}

static const struct driver *
texts_of(const struct count_span *s, uint32_t i)
{
    static const struct driver empty;

    return s->drivers[i] == SPAN_EMPTY
               ? &empty
               : driver_table_at(s->pieces[0].from->counting->e->drivers, s->drivers[i]);
}

int
count_span_compare_drivers(const struct count_span *s, uint32_t i, uint32_t k)
{
    return driver_compare(texts_of(s, i), texts_of(s, k));
}

void
count_source_alike(const struct count_source *s, uint32_t run, uint32_t n, bool *out)
{
    uint32_t codes[SPAN_RUNS];

    for (uint32_t i = 0; i < n; i++)
        out[i] = true;
    for (int k = 0; k < DRIVER_PARTS; k++) {
        segment_run_codes(&s->driver[k], run, n, codes);
        for (uint32_t i = 0; i < n; i++)
            out[i] = out[i] && codes[i] != CODES_DIFFER;
    }
}

/* ---- Putting together ---- */

void
count_span_add(struct count_span *s, const struct count_span *from, uint32_t at, uint32_t n)
{
    uint32_t n_sales = s->n_sales[s->n];
    int64_t engaged_ms = s->engaged_ms[s->n];

    reserve(s, s->n + n);
    memcpy(s->times + s->n, from->times + at, n * sizeof *s->times);
    memcpy(s->drivers + s->n, from->drivers + at, n * sizeof *s->drivers);
    memcpy(s->are_bots + s->n, from->are_bots + at, n * sizeof *s->are_bots);
    for (size_t b = 0; b < REQUEST_BREAKDOWNS_MAX; b++)
        memcpy(s->values[b] + s->n, from->values[b] + at, n * sizeof *s->values[b]);
    for (uint32_t i = 1; i <= n; i++) {
        s->engaged_ms[s->n + i] = engaged_ms + from->engaged_ms[at + i] - from->engaged_ms[at];
        s->n_sales[s->n + i] = n_sales + from->n_sales[at + i] - from->n_sales[at];
    }
    for (uint32_t i = from->n_sales[at]; i < from->n_sales[at + n]; i++)
        add_sale(s, n_sales++, &from->sales[i]);
    s->pieces[s->n_pieces++] =
        (struct count_piece){s->n, from->pieces[0].row + at, from->pieces[0].from};
    s->has_bots = s->has_bots || from->has_bots;
    s->is_odd = s->is_odd || from->is_odd;
    s->n += n;
}
