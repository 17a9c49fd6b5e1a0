/* The builder: events in as rows of codes; sorting them, dropping repeats, cutting them by month.
 */
#include "aggregator/segment/writer.h"

#include <stdlib.h>

#include "aggregator/segment/writer_int.h"

#define TIME_MAX_MS   INT64_C(253402300800000) /* the year 10000 */
#define ARENA_BYTES   (256 * 1024)
#define NUMBERS_KNOWN ((1u << NUMBER_COUNT) - 1)
#define DAY_MS        INT64_C(86400000)

#define PAIRS_MAX       24 /* events of a visitor whose ids are compared each with each */
#define INSERT_MAX      48 /* keys that are sorted by insertion */
#define BUCKET_KEYS     8  /* about, in a bucket */
#define BUCKET_BITS_MAX 17

struct segment_builder *
segment_builder_create(const struct segment_owner *owner)
{
    struct segment_builder *b = mem_zalloc(sizeof *b);

    b->owner = *owner;
    b->n_slots_max = TEXT_COUNT;
    b->slots = mem_zalloc(b->n_slots_max * sizeof *b->slots);
    arena_init(&b->arena, ARENA_BYTES);
    return b;
}

void
segment_builder_reset(struct segment_builder *b)
{
    for (uint32_t i = 0; i < TEXT_COUNT + b->keys.n; i++)
        segment__texts_fini(&b->slots[i]);
    segment__texts_fini(&b->visitors);
    segment__texts_fini(&b->keys);
    free(b->rows);
    b->rows = NULL;
    b->n_rows = 0;
    b->n_rows_max = 0;
    arena_reset(&b->arena);
}

void
segment_builder_destroy(struct segment_builder **builder)
{
    struct segment_builder *b = *builder;

    if (b == NULL)
        return;
    segment_builder_reset(b);
    arena_fini(&b->arena);
    free(b->slots);
    free(b);
    *builder = NULL;
}

uint32_t
segment_builder_rows(const struct segment_builder *b)
{
    return b->n_rows;
}

size_t
segment_builder_bytes(const struct segment_builder *b)
{
    return b->arena.used_bytes + b->n_rows_max * sizeof *b->rows;
}

/* ---- adding ---- */

/* As large as the longest text, or a bit larger. */
static size_t
texts_bits(const struct event *e)
{
    size_t bits = 0;

    for (int i = 0; i < TEXT_COUNT; i++)
        bits |= e->text[i].n;
    return bits;
}

static enum err_code
check_event(const struct segment_builder *b, const struct event *e, struct err *err)
{
    if (e->visitor.n == 0 || e->visitor.n > FORMAT_COLD_STRING_MAX)
        return err_set(err, ERR_INVALID, "visitor", "a visitor has 1 to 65535 bytes");
    if (e->id.n == 0 || e->id.n > FORMAT_COLD_STRING_MAX)
        return err_set(err, ERR_INVALID, "id", "an id has 1 to 65535 bytes");
    if (e->text[TEXT_EVENT].n == 0)
        return err_set(err, ERR_INVALID, "event", "an event has a name");
    if (e->time_ms < 0 || e->time_ms >= TIME_MAX_MS)
        return err_set(err, ERR_INVALID, "time", "a time is in 1970..9999");
    if ((e->numbers_set & ~NUMBERS_KNOWN) != 0)
        return err_set(err, ERR_INVALID, NULL, "a number that nobody knows");
    for (int i = 0; texts_bits(e) > EVENT_ENCODED_MAX && i < TEXT_COUNT; i++)
        if (e->text[i].n > EVENT_ENCODED_MAX)
            return err_set(err, ERR_INVALID, event_text_name((enum event_text)i),
                           "a text has at most %d bytes", EVENT_ENCODED_MAX);
    for (uint32_t i = 0; i < e->n_properties; i++) {
        const struct event_property *p = &e->properties[i];

        if (p->key.n == 0 || p->key.n > EVENT_ENCODED_MAX || p->value.n > EVENT_ENCODED_MAX ||
            (i > 0 && slice_compare(p[-1].key, p->key) >= 0))
            return err_set(err, ERR_INVALID, "properties", "keys ascend and are never empty");
    }
    if (b->n_rows == SEGMENT_ROWS_MAX)
        return err_set(err, ERR_LIMIT, NULL, "a segment has at most %u events", SEGMENT_ROWS_MAX);
    return ERR_OK;
}

static uint32_t
property_slot(struct segment_builder *b, struct slice key)
{
    uint32_t slot = TEXT_COUNT + segment__texts_code(&b->keys, &b->arena, key);

    if (slot >= b->n_slots_max) {
        uint32_t n_max = b->n_slots_max * 2;

        b->slots = mem_realloc(b->slots, n_max * sizeof *b->slots);
        memset(b->slots + b->n_slots_max, 0, (n_max - b->n_slots_max) * sizeof *b->slots);
        b->n_slots_max = n_max;
    }
    return slot;
}

/* The codes of the texts that are set; returns what is behind them. */
static uint32_t *
add_texts(struct segment_builder *b, const struct event *e, uint32_t texts_set, uint32_t *codes)
{
    uint32_t *code = codes;
    uint32_t unknown = 0;

    for (uint32_t bits = texts_set; bits != 0; bits &= bits - 1) {
        uint32_t i = (uint32_t)__builtin_ctz(bits);

        if (!segment__texts_seek(&b->slots[i], e->text[i], code++))
            unknown |= 1u << i;
    }
    code = codes;
    for (uint32_t bits = texts_set; bits != 0; bits &= bits - 1, code++) {
        uint32_t i = (uint32_t)__builtin_ctz(bits);

        if (unknown >> i & 1)
            *code = segment__texts_find(&b->slots[i], &b->arena, e->text[i], *code);
    }
    return code;
}

/* What an event has beside its row; see segment__row. */
static void
add_contents(struct segment_builder *b, const struct event *e, struct segment__row *row)
{
    uint32_t n_codes;
    uint32_t *codes;
    int64_t *numbers;
    size_t n_numbers = (size_t)__builtin_popcount(e->numbers_set);

    for (uint32_t i = 0; i < TEXT_COUNT; i++)
        row->texts_set |= (uint32_t)(e->text[i].n > 0) << i;
    n_codes = (uint32_t)__builtin_popcount(row->texts_set);
    for (uint32_t i = 0; i < e->n_properties; i++)
        row->n_properties += e->properties[i].value.n > 0;
    n_codes += 2 * row->n_properties;
    numbers =
        arena_alloc(&b->arena, n_numbers * sizeof *numbers + n_codes * sizeof *codes + e->id.n);
    row->numbers_set = e->numbers_set;
    row->numbers = numbers;
    for (int i = 0; i < NUMBER_COUNT; i++)
        if (event_has_number(e, (enum event_number)i))
            *numbers++ = e->number[i];
    codes = add_texts(b, e, row->texts_set, (uint32_t *)numbers);
    for (uint32_t i = 0; i < e->n_properties; i++)
        if (e->properties[i].value.n > 0) {
            uint32_t slot = property_slot(b, e->properties[i].key);

            *codes++ = slot;
            *codes++ = segment__texts_code(&b->slots[slot], &b->arena, e->properties[i].value);
        }
    row->id_bytes = (uint16_t)e->id.n;
    memcpy(codes, e->id.p, e->id.n);
}

/* What a reader would make of the event anew. */
static bool
has_content_id(const struct event *e)
{
    unsigned char id[EVENT_CONTENT_ID_BYTES];

    if (event_id_is_given(e->id))
        return false;
    event_content_id(e, id);
    return slice_equal(e->id, slice_of((const char *)id, sizeof id));
}

enum err_code
segment_builder_add(struct segment_builder *b, const struct event *e, struct err *err)
{
    enum err_code rc = check_event(b, e, err);
    struct segment__row *row;
    uint32_t visitor;
    bool is_known;
    uint64_t hash;

    if (rc != ERR_OK)
        return rc;
    hash = segment_visitor_hash(&b->owner, e->visitor);
    is_known = segment__texts_seek_hashed(&b->visitors, e->visitor, (uint32_t)hash, &visitor);
    if (b->n_rows == b->n_rows_max) {
        b->n_rows_max = b->n_rows_max == 0 ? 256 : b->n_rows_max * 2;
        b->rows = mem_realloc(b->rows, b->n_rows_max * sizeof *b->rows);
    }
    row = &b->rows[b->n_rows];
    *row = (struct segment__row){
        .hash = hash,
        .time_ms = e->time_ms,
        .site = e->site,
        .flags = e->flags,
        .origin = e->origin,
        .is_content_id = has_content_id(e),
    };
    add_contents(b, e, row);
    if (!is_known) /* last, as it is far away where visitors are many */
        visitor = segment__texts_find(&b->visitors, &b->arena, e->visitor, visitor);
    row->visitor = visitor;
    b->n_rows++;
    return ERR_OK;
}

/* ---- sorting, dropping repeats ---- */

/* One sortable row: what decides nearly every comparison, beside each other. */
struct sort_key {
    uint64_t hash;
    int64_t time_ms;
    uint64_t id; /* its first bytes, in an order as theirs */
    uint32_t site;
    uint32_t row;
    uint32_t visitor;
};

static uint64_t
first_bytes(struct slice id)
{
    unsigned char p[8] = {0};
    uint64_t v = 0;

    memcpy(p, id.p, id.n < sizeof p ? id.n : sizeof p);
    for (size_t i = 0; i < sizeof p; i++)
        v = v << 8 | p[i];
    return v;
}

int
segment__row_compare_visitors(const struct segment_builder *b, const struct segment__row *x,
                              const struct segment__row *y)
{
    if (x->visitor == y->visitor)
        return 0;
    return slice_compare(b->visitors.values[x->visitor], b->visitors.values[y->visitor]);
}

static int
compare_ids(const struct segment_builder *b, const struct sort_key *x, const struct sort_key *y)
{
    if (x->id != y->id)
        return x->id < y->id ? -1 : 1;
    return slice_compare(segment__row_id(&b->rows[x->row]), segment__row_id(&b->rows[y->row]));
}

/* Of one site: by visitor, time, id. */
static int
compare_keys(const void *a, const void *b, void *context)
{
    const struct sort_key *x = a;
    const struct sort_key *y = b;
    const struct segment_builder *builder = context;

    if (x->hash != y->hash)
        return x->hash < y->hash ? -1 : 1;
    if (x->visitor != y->visitor) /* two visitors of one hash */
        return slice_compare(builder->visitors.values[x->visitor],
                             builder->visitors.values[y->visitor]);
    if (x->time_ms != y->time_ms)
        return x->time_ms < y->time_ms ? -1 : 1;
    return compare_ids(builder, x, y);
}

/* The row as the event it was, arrays in storage of the caller. */
static void
row_event(const struct segment_builder *b, const struct segment__row *row,
          struct event_property *properties, struct event *out)
{
    const int64_t *number = row->numbers;
    const uint32_t *code = segment__row_codes(row);

    *out = (struct event){
        .site = row->site,
        .flags = row->flags,
        .origin = row->origin,
        .time_ms = row->time_ms,
        .visitor = b->visitors.values[row->visitor],
        .id = segment__row_id(row),
        .properties = properties,
    };
    for (int i = 0; i < NUMBER_COUNT; i++)
        if (row->numbers_set >> i & 1)
            event_set_number(out, (enum event_number)i, *number++);
    for (uint32_t i = 0; i < TEXT_COUNT; i++)
        if (row->texts_set >> i & 1)
            out->text[i] = b->slots[i].values[*code++];
    for (; out->n_properties < row->n_properties; code += 2)
        properties[out->n_properties++] = (struct event_property){
            b->keys.values[code[0] - TEXT_COUNT],
            b->slots[code[0]].values[code[1]],
        };
}

bool
segment_builder_next_with(const struct segment_builder *b, enum event_text text, uint32_t *at,
                          struct arena *a, struct event *out)
{
    if (b->slots[text].n == 0) /* nearly always */
        *at = b->n_rows;
    for (; *at < b->n_rows; ++*at) {
        const struct segment__row *row = &b->rows[*at];

        if ((row->texts_set >> text & 1) == 0)
            continue;
        row_event(b, row, ARENA_ARRAY(a, struct event_property, row->n_properties), out);
        ++*at;
        return true;
    }
    return false;
}

static int
compare_contents(const struct segment_builder *b, const struct segment__row *x,
                 const struct segment__row *y)
{
    struct event_property *properties =
        mem_alloc((x->n_properties + (size_t)y->n_properties + 1) * sizeof *properties);
    struct event event_x;
    struct event event_y;
    int order;

    row_event(b, x, properties, &event_x);
    row_event(b, y, properties + x->n_properties, &event_y);
    order = segment_repeat_compare(&event_x, &event_y);
    free(properties);
    return order;
}

/* Within one visitor: by id, and of one id the one that stays first. */
static int
compare_repeats(const void *a, const void *b, void *context)
{
    const struct segment_builder *builder = context;
    const struct sort_key *x = a;
    const struct sort_key *y = b;
    int order = compare_ids(builder, x, y);

    if (order != 0 || x->row == y->row)
        return order;
    if (x->time_ms != y->time_ms)
        return x->time_ms < y->time_ms ? -1 : 1;
    return compare_contents(builder, &builder->rows[x->row], &builder->rows[y->row]);
}

/* May two of a visitor's keys have the same id? Not where the first bytes of all differ. */
static bool
may_repeat(const struct sort_key *keys, uint32_t n)
{
    if (n > PAIRS_MAX)
        return true;
    for (uint32_t i = 1; i < n; i++)
        for (uint32_t k = 0; k < i; k++)
            if (keys[i].id == keys[k].id)
                return true;
    return false;
}

/* keys[0..n) of one visitor, in order, are freed of repeats; returns how many stay. */
static uint32_t
settle_visitor(struct segment_builder *b, struct sort_key *keys, uint32_t n)
{
    uint32_t n_kept = 1;

    if (!may_repeat(keys, n))
        return n;
    qsort_r(keys, n, sizeof *keys, compare_repeats, b);
    for (uint32_t i = 1; i < n; i++)
        if (compare_ids(b, &keys[n_kept - 1], &keys[i]) != 0)
            keys[n_kept++] = keys[i];
    qsort_r(keys, n_kept, sizeof *keys, compare_keys, b);
    return n_kept;
}

/* ---- sorting: a bucket for every few visitors, by the hash's high bits, then each bucket ---- */

static void
sort_bucket(struct segment_builder *b, struct sort_key *keys, uint32_t n)
{
    if (n > INSERT_MAX) {
        qsort_r(keys, n, sizeof *keys, compare_keys, b);
        return;
    }
    for (uint32_t i = 1; i < n; i++) {
        struct sort_key key = keys[i];
        uint32_t at = i;

        for (; at > 0 && compare_keys(&keys[at - 1], &key, b) > 0; at--)
            keys[at] = keys[at - 1];
        keys[at] = key;
    }
}

/* keys[0..n) of one site; room is as large. */
static void
sort_site(struct segment_builder *b, struct sort_key *keys, struct sort_key *room, uint32_t n)
{
    unsigned bits = 1;
    uint32_t *begin;

    while (bits < BUCKET_BITS_MAX && (n >> bits) > BUCKET_KEYS)
        bits++;
    begin = mem_zalloc(((1u << bits) + (size_t)1) * sizeof *begin);
    for (uint32_t i = 0; i < n; i++)
        begin[(keys[i].hash >> (64 - bits)) + 1]++;
    for (uint32_t i = 0; i < 1u << bits; i++)
        begin[i + 1] += begin[i];
    for (uint32_t i = 0; i < n; i++)
        room[begin[keys[i].hash >> (64 - bits)]++] = keys[i];
    memcpy(keys, room, n * sizeof *keys);
    for (uint32_t i = 0, from = 0; i < 1u << bits; from = begin[i++]) /* begin[i] is now its end */
        sort_bucket(b, keys + from, begin[i] - from);
    free(begin);
}

static int
compare_sites(const void *a, const void *b)
{
    const struct sort_key *x = a;
    const struct sort_key *y = b;

    if (x->site != y->site)
        return x->site < y->site ? -1 : 1;
    return (x->row > y->row) - (x->row < y->row);
}

static void
sort_keys(struct segment_builder *b, struct sort_key *keys, uint32_t n)
{
    struct sort_key *room = mem_alloc(n * sizeof *room);
    bool is_of_one = true;
    uint32_t end;

    for (uint32_t i = 1; i < n; i++)
        is_of_one &= keys[i].site == keys[0].site;
    if (!is_of_one)
        qsort(keys, n, sizeof *keys, compare_sites);
    for (uint32_t begin = 0; begin < n; begin = end) {
        for (end = begin + 1; end < n && keys[end].site == keys[begin].site;)
            end++;
        sort_site(b, keys + begin, room, end - begin);
    }
    free(room);
}

/* How many of a visitor's rows, the earliest of which is the first, were erased. */
static uint32_t
count_erased(const struct segment_builder *b, const struct sort_key *keys, uint32_t n)
{
    const struct sort_key *first = &keys[0];
    const struct segment_erased_list *l = NULL;
    uint32_t n_erased = 0;
    int64_t from_ms;

    for (size_t i = 0; i < b->n_erased && l == NULL; i++)
        if (b->erased[i].site == first->site)
            l = &b->erased[i].list;
    if (l == NULL || !segment_erased_may_have(l, first->hash))
        return 0;
    from_ms = segment_erased_from(l, first->hash, b->visitors.values[first->visitor]);
    while (n_erased < n && keys[n_erased].time_ms < from_ms)
        n_erased++;
    return n_erased;
}

/* The rows of the file, in order: an array of *out_n that the caller frees. */
static struct sort_key *
sorted_rows(struct segment_builder *b, uint32_t *out_n)
{
    struct sort_key *keys = mem_alloc(b->n_rows * sizeof *keys);
    uint32_t n = 0;
    uint32_t end;

    for (uint32_t i = 0; i < b->n_rows; i++) {
        const struct segment__row *row = &b->rows[i];

        keys[i] = (struct sort_key){.hash = row->hash,
                                    .time_ms = row->time_ms,
                                    .id = first_bytes(segment__row_id(row)),
                                    .site = row->site,
                                    .row = i,
                                    .visitor = row->visitor};
    }
    sort_keys(b, keys, b->n_rows);
    b->n_left_out = 0;
    for (uint32_t begin = 0; begin < b->n_rows; begin = end) {
        uint32_t n_kept, n_erased = 0;

        for (end = begin + 1; end < b->n_rows && keys[end].visitor == keys[begin].visitor &&
                              keys[end].site == keys[begin].site;)
            end++;
        n_kept = settle_visitor(b, keys + begin, end - begin);
        if (b->n_erased != 0)
            n_erased = count_erased(b, keys + begin, n_kept);
        b->n_left_out += n_erased;
        memmove(keys + n, keys + begin + n_erased, (n_kept - n_erased) * sizeof *keys);
        n += n_kept - n_erased;
    }
    *out_n = n;
    return keys;
}

/* ---- all files ---- */

/* The rows of one month, in order, within the array of all. */
struct month {
    uint32_t month;
    uint32_t begin;
    uint32_t end;
};

struct months {
    struct month *list; /* ascending */
    uint32_t n;
    uint32_t n_max;
};

static int
compare_months(const void *a, const void *b)
{
    uint32_t x = ((const struct month *)a)->month;
    uint32_t y = ((const struct month *)b)->month;

    return (x > y) - (x < y);
}

/* The month's place in the list, made where there is none. Nearly always the one before. */
static uint32_t
find_month(struct months *m, uint32_t month, uint32_t before)
{
    if (before < m->n && m->list[before].month == month)
        return before;
    for (uint32_t i = 0; i < m->n; i++)
        if (m->list[i].month == month)
            return i;
    if (m->n == m->n_max) {
        m->n_max = m->n_max == 0 ? 16 : 2 * m->n_max;
        m->list = mem_realloc(m->list, m->n_max * sizeof *m->list);
    }
    m->list[m->n] = (struct month){.month = month};
    return m->n++;
}

/* Month by month, each month's rows still sorted: an array of n that the caller frees, as the list
 * of months. */
static uint32_t *
order_by_month(const struct sort_key *keys, uint32_t n, struct months *m)
{
    uint32_t *order = mem_alloc(n * sizeof *order);
    uint32_t month = 0;
    uint32_t at = 0;
    int64_t day = -1;

    *m = (struct months){.n = 0};
    for (uint32_t i = 0; i < n; i++) {
        if (keys[i].time_ms / DAY_MS != day) { /* most are near the one before */
            day = keys[i].time_ms / DAY_MS;
            month = segment_month(keys[i].time_ms);
        }
        at = find_month(m, month, at);
        m->list[at].end++; /* their number so far */
    }
    qsort(m->list, m->n, sizeof *m->list, compare_months);
    for (uint32_t i = 0, begin = 0; i < m->n; i++) {
        m->list[i].begin = begin;
        begin += m->list[i].end;
        m->list[i].end = m->list[i].begin;
    }
    day = -1;
    for (uint32_t i = 0; i < n; i++) {
        if (keys[i].time_ms / DAY_MS != day) {
            day = keys[i].time_ms / DAY_MS;
            at = find_month(m, segment_month(keys[i].time_ms), at);
        }
        order[m->list[at].end++] = keys[i].row;
    }
    return order;
}

void
segment_builder_leave_out(struct segment_builder *b, const struct segment_erased_site *sites,
                          size_t n)
{
    b->erased = sites;
    b->n_erased = n;
}

uint32_t
segment_builder_left_out(const struct segment_builder *b)
{
    return b->n_left_out;
}

enum err_code
segment_builder_write(struct segment_builder *b, const char *dir, struct arena *a,
                      struct segment_file **out, size_t *out_n, struct err *err)
{
    struct segment_file *files;
    struct months months;
    struct sort_key *keys;
    enum err_code rc = ERR_OK;
    size_t n_files = 0;
    uint32_t *order;
    uint32_t n;

    if (b->n_rows == 0) {
        *out = NULL;
        *out_n = 0;
        return ERR_OK;
    }
    keys = sorted_rows(b, &n);
    if (n == 0) { /* all of them were erased */
        free(keys);
        *out = NULL;
        *out_n = 0;
        return ERR_OK;
    }
    order = order_by_month(keys, n, &months);
    free(keys);
    files = ARENA_ARRAY(a, struct segment_file, months.n);
    for (uint32_t i = 0; rc == ERR_OK && i < months.n; i++) {
        const struct month *m = &months.list[i];

        rc = segment__flush(b, order + m->begin, m->end - m->begin, dir, a, &files[n_files], err);
        n_files += rc == ERR_OK;
    }
    free(months.list);
    free(order);
    if (rc != ERR_OK) {
        segment__unlink(dir, files, n_files);
        return rc;
    }
    *out = files;
    *out_n = n_files;
    return ERR_OK;
}
