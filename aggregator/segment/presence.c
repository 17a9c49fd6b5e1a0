/* Presence words: what the rows of each run hold, all of them together, and in which order its
 * events' names come up. Writing, reading, checking. */
#include <stdlib.h>

#include "aggregator/segment/encode_int.h"
#include "core/hash.h"

#define CHUNK 512

/* ---- orders ---- */

#define MINUTE_MS INT64_C(60000)
#define DAY_MS    (24 * 60 * MINUTE_MS)

#define ORDER_SPAN    56                  /* the bit where it begins */
#define ORDER_NOT     (UINT64_C(1) << 63) /* only while it is made: it is not to be said */
#define ORDER_LARGEST ((UINT64_C(1) << 59) - 1)

static const int64_t spans_ms[8] = {30 * MINUTE_MS, 60 * MINUTE_MS, 360 * MINUTE_MS, DAY_MS,
                                    7 * DAY_MS,     14 * DAY_MS,    30 * DAY_MS,     31 * DAY_MS};

int64_t
segment_order_span_ms(uint64_t order)
{
    return spans_ms[order >> ORDER_SPAN & 7];
}

static uint64_t
order_of_span(int64_t ms)
{
    for (uint64_t i = 0; i < sizeof spans_ms / sizeof spans_ms[0]; i++)
        if (ms <= spans_ms[i])
            return i << ORDER_SPAN;
    return ORDER_NOT;
}

/* One more name, which comes up at the moment of the one before, or later. */
static uint64_t
order_add(uint64_t order, uint32_t code, bool is_tied)
{
    int n = 0;

    while (segment_order_event(order, n) != 0)
        n++;
    if (code == 0 || code >= PRESENCE_EVENTS || n == ORDER_EVENTS_MAX)
        return ORDER_NOT;
    return order | ((uint64_t)code | (is_tied && n > 0 ? 64 : 0)) << 7 * n;
}

/* ---- writing ---- */

void
segment__presence_init(struct segment__presence *p, const uint32_t *run_rows, uint32_t n_runs)
{
    *p = (struct segment__presence){
        .words = mem_zalloc(n_runs * sizeof *p->words),
        .orders = mem_zalloc(n_runs * sizeof *p->orders),
        .ties = mem_zalloc((run_rows[n_runs] / 64 + (size_t)1) * sizeof *p->ties),
        .run_rows = run_rows,
        .n_runs = n_runs};
}

void
segment__presence_fini(struct segment__presence *p)
{
    free(p->words);
    free(p->orders);
    free(p->ties);
    *p = (struct segment__presence){.words = NULL};
}

static uint64_t
bits_of_event(uint32_t code)
{
    return code > 0 && code < PRESENCE_EVENTS ? UINT64_C(1) << code : PRESENCE_ANY_EVENT;
}

uint64_t
segment__presence_of_flags(int64_t flags)
{
    return ((flags & EVENT_BOT) != 0 ? PRESENCE_BOT : 0) |
           ((flags & EVENT_COOKIELESS) != 0 ? PRESENCE_COOKIELESS : 0);
}

uint64_t
segment__presence_of_value(int64_t value)
{
    (void)value;
    return PRESENCE_VALUE;
}

uint64_t
segment__presence_of_given(int64_t value)
{
    (void)value;
    return PRESENCE_GIVEN;
}

void
segment__presence_add(struct segment__presence *p, const struct segment__source *source,
                      segment__presence_bits bits_of)
{
    struct segment__batch *batch = mem_alloc(sizeof *batch);
    uint32_t run = 0;

    for (source->next(source->context, batch); batch->n > 0; source->next(source->context, batch))
        for (uint32_t i = 0; i < batch->n; i++) {
            while (p->run_rows[run + 1] <= batch->row[i])
                run++;
            p->words[run] |= bits_of(batch->value[i]);
        }
    free(batch);
}

void
segment__presence_add_times(struct segment__presence *p, const struct segment__source *source)
{
    struct segment__batch *batch = mem_alloc(sizeof *batch);
    int64_t first = 0;
    int64_t last = 0;
    uint32_t run = 0;

    for (source->next(source->context, batch); batch->n > 0; source->next(source->context, batch))
        for (uint32_t i = 0; i < batch->n; i++) {
            uint32_t row = batch->row[i];
            int64_t time = batch->value[i];

            while (p->run_rows[run + 1] <= row)
                run++;
            if (row == p->run_rows[run])
                first = time;
            else if (time == last)
                p->ties[row / 64] |= UINT64_C(1) << row % 64;
            last = time;
            if (row + 1 == p->run_rows[run + 1])
                p->orders[run] = order_of_span(time - first);
        }
    free(batch);
}

/* Has the row, of the same run, the moment of an earlier one? */
static bool
are_tied(const struct segment__presence *p, uint32_t earlier, uint32_t row)
{
    while (row > earlier && (p->ties[row / 64] >> row % 64 & 1) != 0)
        row--;
    return row == earlier;
}

static void
add_event(struct segment__presence *p, uint32_t run, uint32_t row, uint32_t code)
{
    uint64_t bit = bits_of_event(code);

    if ((p->words[run] & bit) != 0)
        return;
    if ((p->orders[run] & ORDER_NOT) == 0)
        p->orders[run] = order_add(p->orders[run], code, are_tied(p, p->named, row));
    p->words[run] |= bit;
    p->named = row;
}

void
segment__presence_add_events(struct segment__presence *p, const struct segment__source *source)
{
    struct segment__batch *batch = mem_alloc(sizeof *batch);
    uint32_t end_row = p->run_rows[p->n_runs];
    uint32_t run = 0;
    uint32_t row = 0; /* the next one */

    do {
        source->next(source->context, batch);
        for (uint32_t i = 0; i < batch->n || (batch->n == 0 && row < end_row);) {
            bool is_set = i < batch->n && row == batch->row[i];

            while (p->run_rows[run + 1] <= row)
                run++;
            add_event(p, run, row++, is_set ? (uint32_t)batch->value[i] : 0);
            i += is_set;
        }
    } while (batch->n > 0);
    free(batch);
}

/* Pairs by hash: at most half of the slots are in use. */
struct pair {
    uint64_t word;
    uint64_t order;
};

struct pair_set {
    uint32_t n;
    struct pair *pairs;
    uint32_t *slots; /* index + 1; 0: free */
};

#define SLOTS (2 * FORMAT_WORDS_MAX)

static uint32_t *
slot_of(const struct pair_set *s, const struct pair *pair)
{
    uint64_t mixed =
        (pair->word ^ pair->order * UINT64_C(0xd6e8feb86659fd93)) * UINT64_C(0x9e3779b97f4a7c15);
    uint32_t at = (uint32_t)(mixed >> 40) % SLOTS;

    while (s->slots[at] != 0 && (s->pairs[s->slots[at] - 1].word != pair->word ||
                                 s->pairs[s->slots[at] - 1].order != pair->order))
        at = (at + 1) % SLOTS;
    return &s->slots[at];
}

static struct pair
pair_of(const struct segment__presence *p, uint32_t run, bool with_orders)
{
    uint64_t order = with_orders ? p->orders[run] : 0;

    return (struct pair){p->words[run], (order & ORDER_NOT) != 0 ? 0 : order};
}

/* False where there are too many. */
static bool
collect(struct pair_set *s, const struct segment__presence *p, bool with_orders)
{
    s->n = 0;
    memset(s->slots, 0, SLOTS * sizeof *s->slots);
    for (uint32_t run = 0; run < p->n_runs; run++) {
        struct pair pair = pair_of(p, run, with_orders);
        uint32_t *slot = slot_of(s, &pair);

        if (*slot != 0)
            continue;
        if (s->n == FORMAT_WORDS_MAX)
            return false;
        s->pairs[s->n++] = pair;
        *slot = s->n;
    }
    return true;
}

static int
compare_pairs(const void *x, const void *y)
{
    const struct pair *a = x;
    const struct pair *b = y;

    if (a->word != b->word)
        return a->word < b->word ? -1 : 1;
    return (a->order > b->order) - (a->order < b->order);
}

static void
sort_pairs(struct pair_set *s)
{
    qsort(s->pairs, s->n, sizeof *s->pairs, compare_pairs);
    memset(s->slots, 0, SLOTS * sizeof *s->slots);
    for (uint32_t i = 0; i < s->n; i++)
        *slot_of(s, &s->pairs[i]) = i + 1;
}

static void
write_pairs(struct segment__out *o, const struct segment__presence *p, struct pair_set *set,
            bool with_orders)
{
    uint32_t *which = mem_alloc(p->n_runs * sizeof *which);
    struct segment__entry e = {.type = BLOCK_PRESENCE,
                               .flags = ENTRY_OPTIONAL,
                               .encoding = ENCODING_WORDS,
                               .width = (unsigned char)segment__width(set->n - 1),
                               .count = p->n_runs,
                               .base = set->n};

    sort_pairs(set);
    for (uint32_t run = 0; run < p->n_runs; run++) {
        struct pair pair = pair_of(p, run, with_orders);

        which[run] = *slot_of(set, &pair) - 1;
    }
    segment__out_begin(o);
    for (uint32_t i = 0; i < set->n; i++)
        segment__out_add(o, &set->pairs[i].word, sizeof set->pairs[i].word);
    for (uint32_t i = 0; i < set->n; i++)
        segment__out_add(o, &set->pairs[i].order, sizeof set->pairs[i].order);
    segment__add_packed(o, which, p->n_runs, e.width);
    segment__out_end(o, &e);
    free(which);
}

void
segment__encode_presence(struct segment__out *o, const struct segment__presence *p)
{
    struct pair_set set = {.pairs = mem_alloc(FORMAT_WORDS_MAX * sizeof *set.pairs),
                           .slots = mem_alloc(SLOTS * sizeof *set.slots)};

    if (collect(&set, p, true))
        write_pairs(o, p, &set, true);
    else if (collect(&set, p, false))
        write_pairs(o, p, &set, false);
    free(set.pairs);
    free(set.slots);
}

/* ---- reading ---- */

bool
segment__is_presence_length_right(const struct segment *s, const struct segment__entry *e)
{
    return e->count == s->info.n_runs && e->base >= 1 && e->base <= FORMAT_WORDS_MAX &&
           e->width == segment__width((uint64_t)e->base - 1) &&
           e->length == (uint64_t)e->base * 16 + segment__packed_bytes(e->count, e->width);
}

/* Does it name the events that the word has, each once? */
static bool
is_order_of(uint64_t order, uint64_t word)
{
    uint64_t events = word & ((UINT64_C(1) << PRESENCE_EVENTS) - 1);
    uint64_t named = 0;
    int n = 0;

    if (order == 0)
        return true;
    if (segment_order_is_tied(order, 0))
        return false;
    for (uint32_t code; (code = segment_order_event(order, n)) != 0; n++) {
        if ((bits_of_event(code) & named) != 0)
            return false;
        named |= bits_of_event(code);
    }
    return n > 0 && named == events && (events & PRESENCE_ANY_EVENT) == 0 &&
           order <= ORDER_LARGEST && (order & ((UINT64_C(1) << ORDER_SPAN) - 1)) >> 7 * n == 0;
}

static enum err_code
verify(const struct segment *s, const struct segment__entry *e, const struct segment_presence *p,
       struct err *err)
{
    enum err_code rc = segment__checksum(s, e, err);

    for (uint32_t i = 0; rc == ERR_OK && i < p->n_words; i++) {
        if (i > 0 && (p->words[i] < p->words[i - 1] ||
                      (p->words[i] == p->words[i - 1] && p->orders[i] <= p->orders[i - 1])))
            return segment__corrupt(s, e, err, "its words do not ascend");
        if (!is_order_of(p->orders[i], p->words[i]))
            return segment__corrupt(s, e, err, "has an order of other events");
    }
    if (rc == ERR_OK && !segment__are_in_range(p->packed, p->width, e->count, 0, 0, p->n_words))
        return segment__corrupt(s, e, err, "says of runs what is no word");
    return rc;
}

enum err_code
segment_presence_open(const struct segment *s, struct segment_presence *out, struct err *err)
{
    const struct segment__entry *e = segment__find(s, BLOCK_PRESENCE, 0);
    const uint64_t *words;

    *out = (struct segment_presence){.n_words = 0};
    if (e == NULL)
        return ERR_OK;
    words = (const uint64_t *)(const void *)(s->map.p + e->offset);
    *out = (struct segment_presence){
        .n_words = (uint32_t)e->base,
        .words = words,
        .orders = words + e->base,
        .width = e->width,
        .packed = (const unsigned char *)(words + 2 * e->base),
    };
    if (!segment__is_verified(s, e)) {
        enum err_code rc = verify(s, e, out, err);

        if (rc != ERR_OK)
            return rc;
        segment__set_verified(s, e);
    }
    return ERR_OK;
}

void
segment_presence_read(const struct segment_presence *p, uint32_t run, uint32_t n, uint32_t *which)
{
    segment__unpack32(p->packed, p->width, run, n, 0, which);
}

/* ---- checking ---- */

struct holding {
    struct segment_column event;
    struct segment_column time;
    struct segment_column flags;
    struct segment_column value;
    struct segment_column given;
};

static enum err_code
open_holding(const struct segment *s, struct holding *h, struct err *err)
{
    enum err_code rc = segment_text_open(s, TEXT_EVENT, &h->event, err);

    if (rc == ERR_OK)
        rc = segment_time_open(s, &h->time, err);
    if (rc == ERR_OK)
        rc = segment_flags_open(s, &h->flags, err);
    if (rc == ERR_OK)
        rc = segment_number_open(s, NUMBER_VALUE, &h->value, err);
    if (rc == ERR_OK)
        rc = segment__given_open(s, &h->given, err);
    return rc;
}

/* What rows [row, end) of one run hold. */
static struct pair
pair_of_rows(const struct holding *h, uint32_t row, uint32_t end)
{
    uint32_t events[CHUNK];
    int64_t times[CHUNK];
    int64_t flags[CHUNK];
    int64_t ignored[CHUNK];
    bool has_value[CHUNK];
    bool is_given[CHUNK];
    struct pair pair = {0, 0};
    int64_t first = 0;
    int64_t named = 0; /* when a name last came up first */
    int64_t last = 0;
    uint64_t order = 0;

    for (uint32_t n, begin = row; row < end; row += n) {
        n = end - row < CHUNK ? end - row : CHUNK;
        segment_codes(&h->event, row, n, events);
        segment_values(&h->time, row, n, times, NULL);
        segment_values(&h->flags, row, n, flags, NULL);
        segment_values(&h->value, row, n, ignored, has_value);
        segment_values(&h->given, row, n, ignored, is_given);
        first = row == begin ? times[0] : first;
        for (uint32_t i = 0; i < n; i++) {
            if ((pair.word & bits_of_event(events[i])) == 0) {
                if ((order & ORDER_NOT) == 0)
                    order = order_add(order, events[i], times[i] == named);
                named = times[i];
            }
            pair.word |= bits_of_event(events[i]) | segment__presence_of_flags(flags[i]) |
                         (has_value[i] ? PRESENCE_VALUE : 0) | (is_given[i] ? PRESENCE_GIVEN : 0);
            last = times[i];
        }
    }
    order |= order_of_span(last - first);
    pair.order = (order & ORDER_NOT) != 0 ? 0 : order;
    return pair;
}

/* An order may be left out. */
enum err_code
segment__check_presence(const struct segment *s, struct err *err)
{
    const struct segment__entry *e = segment__find(s, BLOCK_PRESENCE, 0);
    struct segment_presence p;
    struct holding holding;
    enum err_code rc = segment_presence_open(s, &p, err);

    if (rc == ERR_OK)
        rc = open_holding(s, &holding, err);
    for (uint32_t run = 0; rc == ERR_OK && run < e->count; run++) {
        struct pair held = pair_of_rows(&holding, s->run_rows[run], s->run_rows[run + 1]);
        uint32_t which;

        segment_presence_read(&p, run, 1, &which);
        if (p.words[which] != held.word || (p.orders[which] != 0 && p.orders[which] != held.order))
            rc = segment__corrupt(s, e, err, "says of a run what its rows do not hold");
    }
    return rc;
}
