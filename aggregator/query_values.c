/* An attribute's values, most frequent first: what rules are chosen from. */
#include "aggregator/query_int.h"

#include <stdlib.h>

#include "aggregator/funnel/matcher.h"
#include "core/decimal.h"

struct values {
    struct query_value *list;
    size_t n;
    size_t max;
    struct slice prefix;
    const struct page_groups *groups;
    struct arena *arena; /* of the query; the result is copied out of it */
};

static void
put_value(struct values *v, struct slice value, uint64_t n_events)
{
    if (v->n == v->max) {
        v->max = 2 * v->max + 256;
        v->list = mem_realloc(v->list, v->max * sizeof *v->list);
    }
    v->list[v->n++] = (struct query_value){value, n_events};
}

static void
add_value(struct values *v, struct slice value, uint64_t n_events)
{
    if (n_events != 0 && value.n != 0 && slice_starts_with(value, v->prefix))
        put_value(v, value, n_events);
}

static enum err_code
text_values(const struct query_part *part, const struct attribute *attribute, struct values *v,
            struct err *err)
{
    bool is_group = attribute_is_page_group(attribute);
    bool is_landing = attribute->source == SOURCE_DERIVED && !is_group;
    struct segment_column column, flags;
    uint64_t *counts;
    enum err_code rc;

    if (attribute->source == SOURCE_PROPERTY)
        rc = segment_property_open(part->segment, attribute->key, &column, err);
    else
        rc = segment_text_open(
            part->segment, is_landing || is_group ? TEXT_PATH : (enum event_text)attribute->code,
            &column, err);
    if (rc == ERR_OK && is_landing)
        rc = segment_flags_open(part->segment, &flags, err);
    if (rc != ERR_OK)
        return rc;
    counts = mem_zalloc(column.n_codes * sizeof *counts);
    query__count_codes(part, &column, is_landing ? &flags : NULL, counts);
    for (uint32_t code = 1; code < column.n_codes; code++) {
        struct slice text = segment_text_value(&column, code);

        add_value(v, is_group ? page_groups_of(v->groups, text) : text, counts[code]);
    }
    free(counts);
    return ERR_OK;
}

static enum err_code
bot_values(const struct query_part *part, struct values *v, struct err *err)
{
    struct segment_column flags;
    uint64_t counts[2] = {0, 0};
    int64_t bits[QUERY_CHUNK];
    bool is_counted[QUERY_CHUNK];
    enum err_code rc = segment_flags_open(part->segment, &flags, err);

    for (uint32_t row = part->begin, n; rc == ERR_OK && row < part->end; row += n) {
        n = query__rows(part, row, is_counted);
        segment_values(&flags, row, n, bits, NULL);
        for (uint32_t i = 0; i < n; i++)
            counts[(bits[i] & EVENT_BOT) != 0] += is_counted[i];
    }
    add_value(v, SLICE("false"), counts[0]);
    add_value(v, SLICE("true"), counts[1]);
    return rc;
}

struct number {
    int64_t units;
    int digits;
};

static int
compare_numbers(const void *x, const void *y)
{
    const struct number *a = x;
    const struct number *b = y;

    if (a->digits != b->digits)
        return a->digits < b->digits ? -1 : 1;
    return a->units < b->units ? -1 : a->units > b->units;
}

static void
add_numbers(struct values *v, struct number *numbers, size_t n)
{
    struct buffer text = BUFFER_EMPTY;

    qsort(numbers, n, sizeof *numbers, compare_numbers);
    for (size_t i = 0, end; i < n; i = end) {
        for (end = i + 1; end < n && compare_numbers(&numbers[i], &numbers[end]) == 0;)
            end++;
        buffer_clear(&text);
        decimal_add(&text, numbers[i].units, numbers[i].digits);
        add_value(v, arena_copy(v->arena, buffer_slice(&text)), end - i);
    }
    buffer_fini(&text);
}

static enum err_code
number_values(const struct query_part *part, enum event_number code, struct values *v,
              struct err *err)
{
    struct segment_column column, currency;
    struct number *numbers;
    uint32_t codes[QUERY_CHUNK];
    int64_t units[QUERY_CHUNK];
    bool is_set[QUERY_CHUNK];
    bool is_counted[QUERY_CHUNK];
    size_t n_numbers = 0;
    enum err_code rc;

    rc = segment_number_open(part->segment, code, &column, err);
    if (rc == ERR_OK)
        rc = segment_text_open(part->segment, TEXT_CURRENCY, &currency, err);
    if (rc != ERR_OK)
        return rc;
    numbers = mem_alloc((part->end - part->begin + 1) * sizeof *numbers);
    for (uint32_t row = part->begin, n; row < part->end; row += n) {
        n = query__rows(part, row, is_counted);
        segment_values(&column, row, n, units, is_set);
        segment_codes(&currency, row, n, codes);
        for (uint32_t i = 0; i < n; i++)
            if (is_set[i] && is_counted[i])
                numbers[n_numbers++] = (struct number){
                    units[i], event_number_digits(code, segment_text_value(&currency, codes[i]))};
    }
    add_numbers(v, numbers, n_numbers);
    free(numbers);
    return ERR_OK;
}

/* Which events start a session is known only where visitors' events are put together. */
static void
entrance_values(struct values *v)
{
    const struct slice texts[] = {SLICE("false"), SLICE("true")};

    for (int i = 0; i < 2; i++)
        if (slice_starts_with(texts[i], v->prefix))
            put_value(v, texts[i], 0);
}

static enum err_code
part_values(const struct query_part *part, const struct attribute *attribute, struct values *v,
            struct err *err)
{
    if (attribute->source == SOURCE_NUMBER)
        return number_values(part, (enum event_number)attribute->code, v, err);
    if (attribute->source == SOURCE_DERIVED && attribute->code == DERIVED_BOT)
        return bot_values(part, v, err);
    if (matcher_part_of(attribute) == PART_ENTRANCE)
        return ERR_OK; /* of no part: see entrance_values */
    return text_values(part, attribute, v, err);
}

/* Of all that was not erased. */
static enum err_code
counted_values(const struct snapshot *snapshot, const struct query_part *part,
               const struct attribute *attribute, struct values *v, struct err *err)
{
    struct query_part *pieces = NULL;
    size_t n = 0;
    enum err_code rc = query__pieces(snapshot, part, v->arena, &pieces, &n, err);

    for (size_t i = 0; rc == ERR_OK && i < n; i++)
        rc = part_values(&pieces[i], attribute, v, err);
    return rc;
}

static int
compare_by_value(const void *x, const void *y)
{
    const struct query_value *a = x;
    const struct query_value *b = y;

    return slice_compare(a->value, b->value);
}

static int
compare_by_count(const void *x, const void *y)
{
    const struct query_value *a = x;
    const struct query_value *b = y;

    if (a->n_events != b->n_events)
        return a->n_events > b->n_events ? -1 : 1;
    return slice_compare(a->value, b->value);
}

/* The same value of several segments becomes one; the most frequent first. */
static void
sum_up(struct values *v)
{
    size_t n = 0;

    if (v->n == 0)
        return;
    qsort(v->list, v->n, sizeof *v->list, compare_by_value);
    for (size_t i = 0; i < v->n; i++) {
        if (n != 0 && slice_equal(v->list[n - 1].value, v->list[i].value))
            v->list[n - 1].n_events += v->list[i].n_events;
        else
            v->list[n++] = v->list[i];
    }
    v->n = n;
    qsort(v->list, v->n, sizeof *v->list, compare_by_count);
}

enum err_code
query_values(struct snapshot_pool *p, uint32_t site, struct slice name, struct slice prefix,
             size_t limit, struct arena *a, struct query_value **out, size_t *out_n,
             struct err *err)
{
    const struct snapshot *snapshot = NULL;
    struct values v = {.prefix = prefix};
    struct query_value *result;
    struct attribute attribute;
    struct arena scratch;
    enum err_code rc;

    if (!attribute_find(name, &attribute))
        return err_set(err, ERR_INVALID, "attribute", "there is no attribute \"%.*s\"",
                       SLICE_ARG(slice_sub(name, 0, 80)));
    rc = snapshot_take(p, SNAPSHOT_WHOLE(site), &snapshot, err);
    if (rc != ERR_OK)
        return rc;
    arena_init(&scratch, 16 << 10);
    v.arena = &scratch;
    v.groups = &snapshot->page_groups;
    for (size_t i = 0; rc == ERR_OK && i < snapshot->n; i++) {
        struct err why = ERR_NONE;
        struct query_part part;

        if (query__part(snapshot, i, site, &part))
            rc = query__leave_out(counted_values(snapshot, &part, &attribute, &v, &why), &why, err);
    }
    if (matcher_part_of(&attribute) == PART_ENTRANCE)
        entrance_values(&v);
    if (rc == ERR_OK) {
        sum_up(&v);
        *out_n = v.n < limit ? v.n : limit;
        result = ARENA_ARRAY(a, struct query_value, *out_n + 1);
        for (size_t i = 0; i < *out_n; i++)
            result[i] = (struct query_value){arena_copy(a, v.list[i].value), v.list[i].n_events};
        *out = result;
    }
    free(v.list);
    arena_fini(&scratch);
    snapshot_release(p, &snapshot);
    return rc;
}
