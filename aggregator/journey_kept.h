/* Rows of persons with several ids, kept until a walk has met all of these. Inside journey only.
 *
 * The rows of one id are added together, in order and without repeats; what a person gets is theirs
 * of all ids in order of (time, event id). Event ids lie cold, so they are read only where rows of
 * different ids have the same time. */
#ifndef AGGREGATOR_JOURNEY_KEPT_H
#define AGGREGATOR_JOURNEY_KEPT_H

#include "aggregator/journey.h"

struct kept_row {
    struct scan_row row;
    uint32_t input; /* where its event id is */
    uint32_t segment_row;
};

/* Rows of one id. */
struct kept_run {
    uint32_t person;
    uint32_t n;
    size_t begin;
};

struct kept {
    struct kept_row *rows;
    size_t n_rows;
    size_t rows_max;
    struct kept_run *runs;
    size_t n_runs;
    size_t runs_max;
    struct kept_tie *person; /* of one person, while it is put in order */
    size_t person_max;
};

void kept_fini(struct kept *k);

/* An id of a person, then its rows. */
void kept_add_run(struct kept *k, uint32_t person);
void kept_add_row(struct kept *k, const struct kept_row *row);

/* Reads an event's id; it must stay for as long as kept_next runs. */
typedef enum err_code (*kept_read_id)(const struct kept_row *row, void *context, struct slice *out,
                                      struct err *err);

/* After the last row:
 *
 *     kept_sort(&k);
 *     for (size_t at = 0; rc == ERR_OK && at < k.n_runs;) {
 *         n = kept_count(&k, at);                     // rows of person k.runs[at].person
 *         rc = kept_next(&k, &at, read_id, context, rows, err);   // all of them; at moves on
 *     }
 */
void kept_sort(struct kept *k);
size_t kept_count(const struct kept *k, size_t at);
enum err_code kept_next(struct kept *k, size_t *at, kept_read_id read_id, void *context,
                        struct scan_row *rows, struct err *err);

/* Where row i of those that kept_next gave last lies. */
struct journey_place kept_place(const struct kept *k, size_t i);

#endif
