/* Which runs of a range are plain: all that their visitor has done.
 *
 * Two bitmaps over bits of the hash: those met, and those met more than once. A hash that stands in
 * the second one by chance, because another visitor's has the same bits, only goes the way of those
 * that are truly met twice. */
#include "aggregator/journey_int.h"

#include <stdlib.h>

#define MET_POWER                                                                                  \
    18 /* bits of each bitmap: some 30 times as many as runs of a range; both fit the              \
          nearest cache */
#define MET_WORDS ((size_t)1 << (MET_POWER - 6))

/* The bits behind those that all hashes of the range share. */
static inline uint32_t
slot_of(uint64_t hash, int n_bits)
{
    return (uint32_t)(hash << n_bits >> (64 - MET_POWER));
}

static inline void
mark(uint64_t *bits, uint32_t slot)
{
    bits[slot / 64] |= UINT64_C(1) << slot % 64;
}

static void
mark_runs(struct journey_walk *w, int n_bits)
{
    uint64_t *met = w->met;
    uint64_t *again = w->met + MET_WORDS;

    for (size_t i = 0; i < w->n_places; i++) {
        const struct place *p = &w->places[i];

        for (uint32_t run = p->run; run < p->run_end; run++) {
            uint32_t slot = slot_of(p->hashes[run], n_bits);
            uint64_t bit = UINT64_C(1) << slot % 64;

            again[slot / 64] |= met[slot / 64] & bit;
            met[slot / 64] |= bit;
        }
    }
}

/* Linked and erased visitors are never plain. */
static void
mark_others(struct journey_walk *w, const struct journey_range *range)
{
    const struct persons *persons = w->setup->persons;
    const struct segment_erased_list *erased = w->setup->erased;
    uint64_t *again = w->met + MET_WORDS;

    for (size_t i = w->next_joined; i < persons->n_ids && persons->ids[i].hash <= range->last; i++)
        mark(again, slot_of(persons->ids[i].hash, range->n_bits));
    for (size_t i = 0; i < erased->n; i++)
        if (erased->list[i].hash >= range->first && erased->list[i].hash <= range->last)
            mark(again, slot_of(erased->list[i].hash, range->n_bits));
}

static void
reserve(struct journey_walk *w, uint32_t n)
{
    if (n > w->plain_max) {
        w->plain_max = n;
        w->plain = mem_realloc(w->plain, n * sizeof *w->plain);
    }
    if (w->n_others + n > w->others_max) {
        w->others_max = 2 * w->others_max + n;
        w->others = mem_realloc(w->others, w->others_max * sizeof *w->others);
        w->others_room = mem_realloc(w->others_room, w->others_max * sizeof *w->others_room);
    }
}

/* Plain runs to w->plain, their number is returned; the rest to w->others. */
static uint32_t
split_place(struct journey_walk *w, uint32_t place, int n_bits)
{
    const struct place *p = &w->places[place];
    const uint64_t *again = w->met + MET_WORDS;
    struct other_run *others;
    uint32_t *plain;
    uint32_t n_plain = 0;
    uint32_t n_others = 0;
    uint32_t is_cut = p->is_cut;

    reserve(w, p->run_end - p->run);
    plain = w->plain;
    others = w->others + w->n_others;
    for (uint32_t run = p->run; run < p->run_end; run++) {
        uint64_t hash = p->hashes[run];
        uint32_t slot = slot_of(hash, n_bits);
        uint32_t is_other = (uint32_t)(again[slot / 64] >> slot % 64 & 1) | is_cut;

        plain[n_plain] = run;
        others[n_others] = (struct other_run){hash, place, run};
        n_plain += 1 - is_other;
        n_others += is_other;
    }
    w->n_others += n_others;
    return n_plain;
}

#define BUCKET_POWER 10

static inline uint32_t
bucket_of(uint64_t hash, int n_bits)
{
    return (uint32_t)(hash << n_bits >> (64 - BUCKET_POWER));
}

/* By hash, then by place. They come by place, so that those of one bucket stay in that order; and a
 * bucket has few. */
static void
sort_others(struct journey_walk *w, int n_bits)
{
    uint32_t ends[1 << BUCKET_POWER] = {0};
    struct other_run *from = w->others;
    struct other_run *to = w->others_room;
    uint32_t n = 0;

    for (uint32_t i = 0; i < w->n_others; i++)
        ends[bucket_of(from[i].hash, n_bits)]++;
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        n += ends[i];
        ends[i] = n - ends[i]; /* where it begins; then, where it has come to */
    }
    for (uint32_t i = 0; i < w->n_others; i++)
        to[ends[bucket_of(from[i].hash, n_bits)]++] = from[i];
    for (uint32_t i = 1; i < w->n_others; i++) {
        struct other_run moved = to[i];
        uint32_t at = i;

        for (; at > 0 && to[at - 1].hash > moved.hash; at--)
            to[at] = to[at - 1];
        to[at] = moved;
    }
    w->others = to;
    w->others_room = from;
}

enum err_code
journey__split(struct journey_walk *w, const struct journey_range *range, struct err *err)
{
    enum err_code rc = ERR_OK;

    if (w->met == NULL)
        w->met = mem_alloc(2 * MET_WORDS * sizeof *w->met);
    memset(w->met, 0, 2 * MET_WORDS * sizeof *w->met);
    mark_runs(w, range->n_bits);
    mark_others(w, range);
    w->n_others = 0;
    for (size_t i = 0; rc == ERR_OK && i < w->n_places; i++) {
        struct place *p = &w->places[i];
        uint32_t n_rows = p->rows[p->run_end] - p->rows[p->run];
        uint32_t n = split_place(w, (uint32_t)i, range->n_bits);

        if (n == 0 || !journey__is_foreground(p))
            continue; /* nobody asks for who has only runs elsewhere */
        w->bad_place = i;
        rc = w->setup->lying->plain(
            w, &(struct journey_plain_runs){i, p->run, p->run_end, w->plain, n}, w->setup->context,
            err);
        if (rc == ERR_OK)
            rc = journey__look_after(w, n_rows, err);
    }
    sort_others(w, range->n_bits);
    return rc;
}
