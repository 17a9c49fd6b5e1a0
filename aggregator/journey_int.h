/* What journey.c (the walk), journey_plain.c (runs that stand for a whole visitor) and
 * journey_join.c (the others) share. */
#ifndef AGGREGATOR_JOURNEY_INT_H
#define AGGREGATOR_JOURNEY_INT_H

#include "aggregator/journey.h"
#include "aggregator/journey_kept.h"

/* One segment's place in the walk: the next run. */
struct place {
    const struct journey_input *input;
    const uint64_t *hashes;
    const uint32_t *rows;
    uint32_t run; /* the next one */
    uint32_t run_end;
    struct segment_column time;    /* where the input has no scan */
    struct segment_cursor *cursor; /* made when ids or visitors are first read */
    bool is_cut;                   /* some of its rows are too old to count */
};

/* A run of the hash at hand. */
struct member {
    size_t place;
    uint32_t run;
    uint64_t hash;
    struct slice visitor; /* in the arena */
    bool is_done;
};

struct joined_row {
    struct scan_row row;
    size_t place;
    uint32_t segment_row;
    struct slice id; /* in the arena */
    uint64_t id_hash;
};

/* A run that is not plain, where plain ones go apart. */
struct other_run {
    uint64_t hash;
    uint32_t place;
    uint32_t run;
};

/* A place that has runs left. */
struct next_run {
    uint64_t hash; /* of its next run */
    size_t place;
};

struct journey_walk {
    struct place *places;
    size_t n_places;
    struct next_run *heap; /* the smallest hash first */
    size_t n_heap;
    struct member *members; /* n_places is not enough: a segment may have a hash twice */
    size_t n_members;
    size_t members_max;
    struct joined_row *joined;
    size_t n_joined;
    size_t joined_max;
    struct scan_row *rows; /* what a callback gets where rows had to be copied */
    size_t rows_max;
    struct arena arena; /* of one hash */
    const struct journey_setup *setup;
    size_t next_joined;           /* in persons->ids: the first whose hash is not behind the walk */
    struct journey_linked linked; /* whose turn it is, in journey_linked */
    bool is_linked;               /* it is their turn */
    bool gives_nobody;            /* also visitors of the hash at hand that are linked to nobody */
    struct kept kept;
    uint64_t *met; /* for journey_plain.c: hashes met, then those met more often */
    uint32_t *plain;
    uint32_t plain_max;
    struct other_run *others;      /* of the range; by hash, then by place */
    struct other_run *others_room; /* as large */
    uint32_t n_others;
    uint32_t others_max;
    size_t bad_place;
    struct query_share share;
};

static inline bool
journey__is_foreground(const struct place *p)
{
    return p->input->scan && !p->input->is_background;
}

/* ---- journey_join.c ---- */

void journey__reserve_rows(struct journey_walk *w, size_t n);
void journey__add_member(struct journey_walk *w, size_t place, uint32_t run);
enum err_code journey__is_same(struct journey_walk *w, const struct journey_piece *a,
                               const struct journey_piece *b, bool *out, struct err *err);
enum err_code journey__read_visitor(struct journey_walk *w, size_t place, uint32_t run,
                                    struct slice *out, struct err *err);
bool journey__some_decide(const struct journey_walk *w, const struct scan_row *rows, uint32_t n);

/* All runs of one hash (w->members): give or keep whoever they are. */
enum err_code journey__give_members(struct journey_walk *w, bool is_wanted, struct err *err);

/* What was kept of linked ids, and forget it. */
enum err_code journey__give_kept(struct journey_walk *w, struct err *err);

/* ---- journey.c ---- */

enum err_code journey__look_after(struct journey_walk *w, uint32_t n_rows, struct err *err);

/* ---- journey_plain.c ---- */

/* Give the plain runs of all places' [run, run_end) to setup->lying; what is left is in others. */
enum err_code journey__split(struct journey_walk *w, const struct journey_range *range,
                             struct err *err);

#endif
