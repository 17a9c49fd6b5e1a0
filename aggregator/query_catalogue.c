#include "aggregator/query_catalogue.h"

#include <stdlib.h>

#include "aggregator/attribute_values.h"
#include "aggregator/query_int.h"
#include "core/timestamp.h"

/* Rows by their names, over all segments. */
struct names {
    struct attribute_values *numbers; /* of the names: 0 is "" */
    struct catalogue_row *rows;
    size_t n;
    size_t max;
};

struct catalogue {
    const struct query_catalogue *q;
    struct names events;
    struct names properties;
    struct names bots;
};

/* Of one code of a column, in one piece. */
struct met {
    uint64_t n;
    int64_t last_ms;
};

/* ---- Names ---- */

static void
names_init(struct names *names)
{
    static const struct request_breakdown plain;

    *names = (struct names){.numbers = attribute_values_create(&plain, NULL)};
}

static void
names_fini(struct names *names)
{
    attribute_values_destroy(&names->numbers);
    free(names->rows);
}

static void
add(struct names *names, struct slice name, const struct met *met)
{
    uint32_t number;

    if (met->n == 0)
        return;
    number = attribute_values_find(names->numbers, name);
    if (number >= names->max) {
        size_t more = 2 * (size_t)number + 64;

        names->rows = mem_realloc(names->rows, more * sizeof *names->rows);
        names->max = more;
    }
    for (; names->n <= number; names->n++)
        names->rows[names->n] = (struct catalogue_row){.last_ms = INT64_MIN};
    names->rows[number].n_events += met->n;
    if (met->last_ms > names->rows[number].last_ms)
        names->rows[number].last_ms = met->last_ms;
}

/* ---- Counting ---- */

/* The next rows that are in the range and count: how many were read. */
static uint32_t
read_times(const struct catalogue *c, const struct query_part *part,
           const struct segment_column *time, uint32_t row, bool counts[QUERY_CHUNK],
           int64_t times[QUERY_CHUNK])
{
    uint32_t n = query__rows(part, row, counts);

    segment_values(time, row, n, times, NULL);
    for (uint32_t i = 0; i < n; i++)
        counts[i] = counts[i] && times[i] >= c->q->range.from_ms && times[i] < c->q->range.to_ms;
    return n;
}

static void
meet(struct met *met, int64_t time_ms)
{
    met->n++;
    if (met->n == 1 || time_ms > met->last_ms)
        met->last_ms = time_ms;
}

/* Of each code; flags: only rows of bots. */
static void
meet_codes(const struct catalogue *c, const struct query_part *part,
           const struct segment_column *time, const struct segment_column *codes_of,
           const struct segment_column *flags, struct met *met)
{
    uint32_t codes[QUERY_CHUNK];
    int64_t times[QUERY_CHUNK], bits[QUERY_CHUNK];
    bool counts[QUERY_CHUNK];

    for (uint32_t row = part->begin, n; row < part->end; row += n) {
        n = read_times(c, part, time, row, counts, times);
        segment_codes(codes_of, row, n, codes);
        if (flags)
            segment_values(flags, row, n, bits, NULL);
        for (uint32_t i = 0; i < n; i++)
            if (counts[i] && (!flags || (bits[i] & EVENT_BOT) != 0))
                meet(&met[codes[i]], times[i]);
    }
}

/* Rows that have any value. */
static struct met
meet_set(const struct catalogue *c, const struct query_part *part,
         const struct segment_column *time, const struct segment_column *column)
{
    uint32_t codes[QUERY_CHUNK];
    int64_t times[QUERY_CHUNK], values[QUERY_CHUNK];
    bool counts[QUERY_CHUNK], is_set[QUERY_CHUNK];
    struct met met = {.n = 0};

    for (uint32_t row = part->begin, n; row < part->end; row += n) {
        n = read_times(c, part, time, row, counts, times);
        if (column->n_codes != 0)
            segment_codes(column, row, n, codes);
        else
            segment_values(column, row, n, values, is_set);
        for (uint32_t i = 0; i < n; i++)
            if (counts[i] && (column->n_codes != 0 ? codes[i] != 0 : is_set[i]))
                meet(&met, times[i]);
    }
    return met;
}

/* The texts of a column; code 0 is of rows without one. */
static enum err_code
count_texts(struct catalogue *c, const struct query_part *part, const struct segment_column *time,
            enum event_text text, const struct segment_column *flags, struct names *names,
            struct err *err)
{
    struct segment_column column;
    struct met *met;
    enum err_code rc = segment_text_open(part->segment, text, &column, err);

    if (rc != ERR_OK)
        return rc;
    met = mem_zalloc(((size_t)column.n_codes + 1) * sizeof *met);
    meet_codes(c, part, time, &column, flags, met);
    add(names, SLICE_EMPTY, &met[0]);
    for (uint32_t code = 1; code < column.n_codes; code++)
        add(names, segment_text_value(&column, code), &met[code]);
    free(met);
    return ERR_OK;
}

static enum err_code
count_properties(struct catalogue *c, const struct query_part *part,
                 const struct segment_column *time, struct err *err)
{
    enum err_code rc = ERR_OK;

    for (uint32_t i = 0; rc == ERR_OK && i < segment_property_count(part->segment); i++) {
        struct slice key = segment_property_key(part->segment, i);
        struct segment_column column;
        struct met met;

        rc = segment_property_open(part->segment, key, &column, err);
        if (rc != ERR_OK)
            break;
        met = meet_set(c, part, time, &column);
        add(&c->properties, key, &met);
        if (c->q->guard)
            rc = query_guard_status(c->q->guard, err);
    }
    return rc;
}

static enum err_code
count_piece(struct catalogue *c, const struct query_part *part, struct err *err)
{
    struct segment_column time, flags;
    enum err_code rc = segment_time_open(part->segment, &time, err);

    if (rc == ERR_OK)
        rc = segment_flags_open(part->segment, &flags, err);
    if (rc == ERR_OK)
        rc = count_texts(c, part, &time, TEXT_EVENT, NULL, &c->events, err);
    if (rc == ERR_OK)
        rc = count_texts(c, part, &time, TEXT_BOT_REASON, &flags, &c->bots, err);
    return rc == ERR_OK ? count_properties(c, part, &time, err) : rc;
}

static enum err_code
count_segment(struct catalogue *c, const struct snapshot *snapshot, size_t i, struct err *err)
{
    struct query_part *pieces = NULL, part;
    struct arena a;
    enum err_code rc = ERR_OK;
    size_t n = 0;

    if (!query__part(snapshot, i, c->q->site, &part) ||
        part.site->time_max_ms < c->q->range.from_ms || part.site->time_min_ms >= c->q->range.to_ms)
        return ERR_OK;
    arena_init(&a, 1 << 10);
    rc = query__pieces(snapshot, &part, &a, &pieces, &n, err);
    for (size_t k = 0; rc == ERR_OK && k < n; k++)
        rc = count_piece(c, &pieces[k], err);
    arena_fini(&a);
    return rc == ERR_OK && c->q->guard ? query_guard_status(c->q->guard, err) : rc;
}

/* ---- The answer ---- */

static int
compare_rows(const void *x, const void *y)
{
    const struct catalogue_row *a = x, *b = y;

    if (a->n_events != b->n_events)
        return a->n_events > b->n_events ? -1 : 1;
    return slice_compare(a->name, b->name);
}

static void
fill_list(struct names *names, size_t limit, struct arena *a, struct catalogue_list *out)
{
    size_t n = 0;

    for (size_t i = 0; i < names->n; i++) {
        if (names->rows[i].n_events == 0)
            continue;
        names->rows[n] = names->rows[i];
        names->rows[n++].name = attribute_values_text(names->numbers, (uint32_t)i);
    }
    if (n > 1)
        qsort(names->rows, n, sizeof *names->rows, compare_rows);
    out->n_all = n;
    out->n = n < limit ? n : limit;
    out->rows = ARENA_ARRAY(a, struct catalogue_row, out->n + 1);
    for (size_t i = 0; i < out->n; i++) {
        out->rows[i] = names->rows[i];
        out->rows[i].name = arena_copy(a, names->rows[i].name);
    }
}

enum err_code
query_catalogue(struct snapshot_pool *p, const struct query_catalogue *q, struct arena *a,
                struct catalogue_answer *out, struct err *err)
{
    const struct snapshot *snapshot = NULL;
    struct catalogue_answer answer = {.n_left_out = 0};
    struct catalogue c = {.q = q};
    enum err_code rc = snapshot_take(p, SNAPSHOT_WHOLE(q->site), &snapshot, err);

    if (rc != ERR_OK)
        return rc;
    names_init(&c.events);
    names_init(&c.properties);
    names_init(&c.bots);
    for (size_t i = 0; rc == ERR_OK && i < snapshot->n; i++) {
        struct err why = ERR_NONE;

        rc = count_segment(&c, snapshot, i, &why);
        answer.n_left_out += rc == ERR_CORRUPT;
        rc = query__leave_out(rc, &why, err);
    }
    if (rc == ERR_OK) {
        fill_list(&c.events, q->limit, a, &answer.events);
        fill_list(&c.properties, q->limit, a, &answer.properties);
        fill_list(&c.bots, q->limit, a, &answer.bots);
        *out = answer;
    }
    names_fini(&c.events);
    names_fini(&c.properties);
    names_fini(&c.bots);
    snapshot_release(p, &snapshot);
    return rc;
}

/* ---- As JSON ---- */

static void
add_list(struct buffer *out, const char *name, const struct catalogue_list *list)
{
    char when[TIMESTAMP_TEXT_MAX];

    buffer_printf(out, "\"%s\":{\"n\":%zu,\"rows\":[", name, list->n_all);
    for (size_t i = 0; i < list->n; i++) {
        buffer_add_text(out, i > 0 ? ",{\"name\":" : "{\"name\":");
        buffer_add_json(out, list->rows[i].name);
        buffer_printf(out, ",\"events\":%llu,\"last\":\"%s\"}",
                      (unsigned long long)list->rows[i].n_events,
                      timestamp_format(list->rows[i].last_ms, true, when));
    }
    buffer_add_text(out, "]}");
}

void
catalogue_add_members(struct buffer *out, const struct catalogue_answer *answer)
{
    add_list(out, "events", &answer->events);
    buffer_add_char(out, ',');
    add_list(out, "properties", &answer->properties);
    buffer_add_char(out, ',');
    add_list(out, "bots", &answer->bots);
    buffer_printf(out, ",\"damaged_files\":%zu", answer->n_left_out);
}
