/* The engine against the reference: what the files of the differential test share.
 *
 *     differential_ask.c       sites as real segments; a question put to query_funnel
 *     differential_compare.c   the engine's reports against the reference's
 *     differential_shrink.c    a case that differs, made small and printed
 *     test_differential.c      many random cases
 */
#ifndef TESTS_PROPERTY_DIFFERENTIAL_H
#define TESTS_PROPERTY_DIFFERENTIAL_H

#include <jansson.h>

#include "tests/property/random_site.h"
#include "tests/property/reference.h"
#include "tests/unit/aggregator/fixture.h"

/* ---- Sites and questions (differential_ask.c) ---- */

/* Write the sites' events flush by flush; those up to merge_after are merged before the others
 * come. */
void differential_write(struct fixture *f, const struct random_site *sites, int n, int merge_after);
void differential_merge(struct fixture *f);

/* What the engine says: a report for each preset, in their order. */
struct asking {
    struct funnel *funnel;
    struct request request;
    struct figure_place figure; /* of the list of units in the answer */
    struct query_answer answer;
    bool is_answered;
};
/* In which way. */
struct asking_way {
    bool has_lists; /* of paths and of a figure's units; questions that are alone never have */
    bool is_general;
    int n_threads;
    bool is_counts_only;
};
#define ASKING_LISTS ((struct asking_way){.has_lists = true, .n_threads = 1})

enum err_code differential_ask(struct fixture *f, uint32_t site, const struct question *q,
                               const struct asking_way *way, struct asking *out, struct err *err);
void asking_fini(struct asking *a);

/* ---- Comparing (differential_compare.c) ---- */

enum agreement { SAME, DIFFERENT, TOO_MUCH };

struct verdict {
    enum agreement outcome;
    enum question_preset preset;
    char words[2048]; /* what differs */
};

/* Reports, of all so far, in which some visitor was counted where he lies: a test of these needs
 * some. */
extern long differential_n_plain;
/* of several runs */
extern long differential_n_several;

/* Compare one report for each preset, and more that must be true of them; returns how many reports
 * were compared: those that the reference would take too long for are not. Stops at the first that
 * differs. a is reset. */
int differential_try(struct fixture *f, uint32_t number, const struct reference_site *site,
                     const struct question *q, struct arena *a, struct verdict *v);

/* ---- Shrinking (differential_shrink.c) ---- */

struct failing {
    struct random_site site;
    struct question q;
    bool is_merged; /* everything, before the question */
    int merge_after;
};

/* differential_try on a store of its own. */
int differential_case(const struct failing *c, struct verdict *v);

/* Make it small, print it, fail. */
void differential_fail(const struct failing *found, const struct verdict *v);

#endif
