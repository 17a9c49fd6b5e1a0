/* Presence words: what the rows of each run hold, all of them together. Writing, reading, checking.
 */
#include <stdlib.h>

#include "aggregator/segment/encode_int.h"
#include "core/hash.h"

#define CHUNK 512

/* ---- writing ---- */

void
segment__presence_init(struct segment__presence *p, const uint32_t *run_rows, uint32_t n_runs)
{
    *p = (struct segment__presence){
        .words = mem_zalloc(n_runs * sizeof *p->words), .run_rows = run_rows, .n_runs = n_runs};
}

void
segment__presence_fini(struct segment__presence *p)
{
    free(p->words);
    *p = (struct segment__presence){.words = NULL};
}

uint64_t
segment__presence_of_event(int64_t code)
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
                      segment__presence_bits bits_of, uint64_t unset)
{
    struct segment__batch *batch = mem_alloc(sizeof *batch);
    uint32_t end_row = p->run_rows[p->n_runs];
    uint32_t run = 0;
    uint32_t row = 0; /* the next one */

    for (source->next(source->context, batch); batch->n > 0; source->next(source->context, batch))
        for (uint32_t i = 0; i < batch->n; i++) {
            for (; unset != 0 && row < batch->row[i]; row++) {
                while (p->run_rows[run + 1] <= row)
                    run++;
                p->words[run] |= unset;
            }
            row = batch->row[i] + 1;
            while (p->run_rows[run + 1] < row)
                run++;
            p->words[run] |= bits_of(batch->value[i]);
        }
    for (; unset != 0 && row < end_row; row++) {
        while (p->run_rows[run + 1] <= row)
            run++;
        p->words[run] |= unset;
    }
    free(batch);
}

/* Words by hash: at most half of the slots are in use. */
struct word_set {
    uint32_t n;
    uint64_t *words;
    uint32_t *slots; /* index + 1; 0: free */
};

#define SLOTS (2 * FORMAT_WORDS_MAX)

static uint32_t *
slot_of(const struct word_set *s, uint64_t word)
{
    uint32_t at = (uint32_t)(word * UINT64_C(0x9e3779b97f4a7c15) >> 40) % SLOTS;

    while (s->slots[at] != 0 && s->words[s->slots[at] - 1] != word)
        at = (at + 1) % SLOTS;
    return &s->slots[at];
}

/* False where there are too many. */
static bool
collect(struct word_set *s, const struct segment__presence *p)
{
    for (uint32_t run = 0; run < p->n_runs; run++) {
        uint32_t *slot = slot_of(s, p->words[run]);

        if (*slot != 0)
            continue;
        if (s->n == FORMAT_WORDS_MAX)
            return false;
        s->words[s->n++] = p->words[run];
        *slot = s->n;
    }
    return true;
}

static int
compare_words(const void *x, const void *y)
{
    const uint64_t *a = x;
    const uint64_t *b = y;

    return (*a > *b) - (*a < *b);
}

static void
sort_words(struct word_set *s)
{
    qsort(s->words, s->n, sizeof *s->words, compare_words);
    memset(s->slots, 0, SLOTS * sizeof *s->slots);
    for (uint32_t i = 0; i < s->n; i++)
        *slot_of(s, s->words[i]) = i + 1;
}

void
segment__encode_presence(struct segment__out *o, const struct segment__presence *p)
{
    struct word_set set = {.words = mem_alloc(FORMAT_WORDS_MAX * sizeof *set.words),
                           .slots = mem_zalloc(SLOTS * sizeof *set.slots)};
    struct segment__entry e = {.type = BLOCK_PRESENCE,
                               .flags = ENTRY_OPTIONAL,
                               .encoding = ENCODING_WORDS,
                               .count = p->n_runs};
    uint32_t *which;

    if (collect(&set, p)) {
        sort_words(&set);
        which = mem_alloc(p->n_runs * sizeof *which);
        for (uint32_t run = 0; run < p->n_runs; run++)
            which[run] = *slot_of(&set, p->words[run]) - 1;
        e.base = set.n;
        e.width = (unsigned char)segment__width(set.n - 1);
        segment__out_begin(o);
        segment__out_add(o, set.words, set.n * sizeof *set.words);
        segment__add_packed(o, which, p->n_runs, e.width);
        segment__out_end(o, &e);
        free(which);
    }
    free(set.words);
    free(set.slots);
}

/* ---- reading ---- */

bool
segment__is_presence_length_right(const struct segment *s, const struct segment__entry *e)
{
    return e->count == s->info.n_runs && e->base >= 1 && e->base <= FORMAT_WORDS_MAX &&
           e->width == segment__width((uint64_t)e->base - 1) &&
           e->length == (uint64_t)e->base * 8 + segment__packed_bytes(e->count, e->width);
}

enum err_code
segment_presence_open(const struct segment *s, struct segment_presence *out, struct err *err)
{
    const struct segment__entry *e = segment__find(s, BLOCK_PRESENCE, 0);
    struct segment_presence p = {.n_words = 0};

    *out = p;
    if (e == NULL)
        return ERR_OK;
    p = (struct segment_presence){
        .n_words = (uint32_t)e->base,
        .words = (const uint64_t *)(const void *)(s->map.p + e->offset),
        .width = e->width,
        .packed = s->map.p + e->offset + (size_t)e->base * 8,
    };
    if (!segment__is_verified(s, e)) {
        enum err_code rc = segment__checksum(s, e, err);

        if (rc != ERR_OK)
            return rc;
        for (uint32_t i = 1; i < p.n_words; i++)
            if (p.words[i] <= p.words[i - 1])
                return segment__corrupt(s, e, err, "its words do not ascend");
        if (!segment__are_in_range(p.packed, p.width, e->count, 0, 0, p.n_words))
            return segment__corrupt(s, e, err, "says of runs what is no word");
        segment__set_verified(s, e);
    }
    *out = p;
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
    struct segment_column flags;
    struct segment_column value;
    struct segment_column given;
};

static enum err_code
open_holding(const struct segment *s, struct holding *h, struct err *err)
{
    enum err_code rc = segment_text_open(s, TEXT_EVENT, &h->event, err);

    if (rc == ERR_OK)
        rc = segment_flags_open(s, &h->flags, err);
    if (rc == ERR_OK)
        rc = segment_number_open(s, NUMBER_VALUE, &h->value, err);
    if (rc == ERR_OK)
        rc = segment__given_open(s, &h->given, err);
    return rc;
}

/* What rows [row, end) of one run hold. */
static uint64_t
word_of_rows(const struct holding *h, uint32_t row, uint32_t end)
{
    uint32_t events[CHUNK];
    int64_t flags[CHUNK];
    int64_t ignored[CHUNK];
    bool has_value[CHUNK];
    bool is_given[CHUNK];
    uint64_t word = 0;

    for (uint32_t n; row < end; row += n) {
        n = end - row < CHUNK ? end - row : CHUNK;
        segment_codes(&h->event, row, n, events);
        segment_values(&h->flags, row, n, flags, NULL);
        segment_values(&h->value, row, n, ignored, has_value);
        segment_values(&h->given, row, n, ignored, is_given);
        for (uint32_t i = 0; i < n; i++)
            word |= segment__presence_of_event(events[i]) | segment__presence_of_flags(flags[i]) |
                    (has_value[i] ? PRESENCE_VALUE : 0) | (is_given[i] ? PRESENCE_GIVEN : 0);
    }
    return word;
}

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
        uint32_t which;

        segment_presence_read(&p, run, 1, &which);
        if (p.words[which] != word_of_rows(&holding, s->run_rows[run], s->run_rows[run + 1]))
            rc = segment__corrupt(s, e, err, "says of a run what its rows do not hold");
    }
    return rc;
}
