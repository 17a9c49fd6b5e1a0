/* Journeys: every person of a site once, with all its rows of all segments, in order and without
 * repeats.
 *
 *     journey_open(&setup, &walk, &bad, err)
 *     journey_range(walk, &JOURNEY_WHOLE, &bad, err)                    or range by range
 *     journey_linked(walk, &(struct journey_linked){0, n}, &bad, err)   or some at a time
 *     journey_close(&walk)
 *
 * Runs are met in the order of the visitors' hashes, over all segments at once. Where only one
 * segment has a run of that hash, its rows are in order and free of repeats as they lie; where
 * several have, the visitors' ids are compared, so that two visitors with one hash stay two, and
 * of events with the same id one stays (segment_repeat_compare).
 *
 * Visitors that are one person (person.h) are met at different places. What counts of each, freed
 * of the repeats among its own events, is kept until all its ids were met, and given then: memory
 * is 48 bytes for each row of theirs that matches anything.
 */
#ifndef AGGREGATOR_JOURNEY_H
#define AGGREGATOR_JOURNEY_H

#include "aggregator/person.h"
#include "aggregator/query_guard.h"
#include "aggregator/scan.h"

struct journey_input {
    const struct segment *segment;
    const struct segment_site *site;
    struct scan *scan; /* NULL: its rows have a time only, and serve to find repeats */
    /* All its rows are before what is asked for: they are given with others of their person, and
     * are no reason to give a person. */
    bool is_background;
};

struct journey_walk;

/* What the walk calls for each person that has a row which matches a stage, or a bot's row (of an
 * unsettled scan: a row with a leaf, or any); of several ids maybe also for others.
 *
 * rows      sorted by (time, id), n of them; borrowed during the call
 * context   as given
 */
struct journey {
    const struct scan_row *rows;
    uint32_t n;
    struct journey_walk *walk;
    /* for journey_visitor and journey_place */
    enum { JOURNEY_RUN, JOURNEY_JOINED, JOURNEY_KEPT, JOURNEY_PIECES } kind;
    struct slice name; /* of several ids; "": the visitor of the run */
    size_t input;
    uint32_t run;
    const struct journey_piece *pieces; /* of JOURNEY_PIECES: the rows are theirs, one after the
                                           other; input and run are the first one's */
};
typedef enum err_code (*journey_callback)(const struct journey *j, void *context, struct err *err);

#define JOURNEY_PIECES_MAX 64 /* of a visitor that is offered to `several` */

/* A run of an input. */
struct journey_piece {
    size_t input;
    uint32_t run;
};

/* What takes visitors where they lie, before their rows are made into a journey.
 *
 * plain: runs of an input, ascending, each of which is all that its visitor has done: linked to
 * nobody, not erased. They are among [begin, end), as are all runs of the range at hand. Whatever
 * of them is not taken care of is given back by journey_give.
 *
 * several: runs of one hash, each of another input; linked to nobody, not erased, none too old.
 * They may be of different visitors: see journey_is_one. *out_taken false: as if it were not there.
 */
struct journey_plain_runs {
    size_t input;
    uint32_t begin;
    uint32_t end;
    const uint32_t *runs;
    uint32_t n;
};
struct journey_lying {
    enum err_code (*plain)(struct journey_walk *w, const struct journey_plain_runs *runs,
                           void *context, struct err *err);
    enum err_code (*several)(struct journey_walk *w, const struct journey_piece *pieces, size_t n,
                             bool *out_taken, void *context, struct err *err);
};

struct journey_setup {
    const struct journey_input *inputs;
    size_t n_inputs;
    const struct persons *persons;
    const struct segment_erased_list *erased; /* their events do not count */
    bool is_unsettled;                        /* the scans are: all rows of a person are given */
    bool want_all; /* of unsettled scans: also persons whose rows have no leaf */
    journey_callback callback;
    const struct journey_lying *lying; /* NULL: all come in the order of hashes */
    void *context;
    struct query_guard *guard;           /* NULL: the walk goes on until its end */
    size_t (*held_bytes)(void *context); /* beside the walk's own; NULL: nothing */
};

/* A walk is for one thread; several may walk different ranges of the same segments, each with scans
 * of its own. What is set up is borrowed until journey_close. On ERR_CORRUPT *bad_input is the
 * input whose bytes failed a checksum; what the callback has summed up so far is then of no use.
 * ERR_LIMIT and ERR_CONFLICT: the guard's. */
enum err_code journey_open(const struct journey_setup *setup, struct journey_walk **out,
                           size_t *bad_input, struct err *err);
void journey_close(struct journey_walk **w);

/* Visitors by their hash. */
struct journey_range {
    uint64_t first;
    uint64_t last; /* inclusive */
    int n_bits;    /* that many highest bits are the same in all of them; for journey_plain.c */
};
#define JOURNEY_WHOLE ((struct journey_range){0, UINT64_MAX, 0})

/* All visitors of a range that are linked to nobody. Those whose hash a linked id has, too, come
 * with that one. */
enum err_code journey_range(struct journey_walk *w, const struct journey_range *range,
                            size_t *bad_input, struct err *err);

/* Persons [begin, end) of setup->persons: every person once, by however many calls. */
struct journey_linked {
    uint32_t begin;
    uint32_t end;
};
enum err_code journey_linked(struct journey_walk *w, const struct journey_linked *linked,
                             size_t *bad_input, struct err *err);

/* Everybody, in one thread. */
enum err_code journey_each(const struct journey_setup *setup, size_t *bad_input, struct err *err);

/* For journey_lying: give a run as any other, rows that match nothing included. */
enum err_code journey_give(struct journey_walk *w, size_t input, uint32_t run, struct err *err);

/* For journey_lying: are the runs, which have one hash, one visitor's? */
enum err_code journey_is_one(struct journey_walk *w, const struct journey_piece *pieces, size_t n,
                             bool *out, struct err *err);

/* For journey_lying: may two of the runs, of different months, hold one event? Only by an id that
 * it was given: one that is made of content is like no other of another moment. */
enum err_code journey_may_repeat(struct journey_walk *w, const struct journey_piece *pieces,
                                 size_t n, bool *out, struct err *err);

/* Where row i of the journey lies: the index of an input, and the row in its segment. */
struct journey_place {
    size_t input;
    uint32_t row;
};
struct journey_place journey_place(const struct journey *j, uint32_t i);

/* The visitor's id as it was given, of several the known one (persons.names); borrowed until the
 * callback returns. */
enum err_code journey_visitor(const struct journey *j, struct slice *out, struct err *err);

#endif
